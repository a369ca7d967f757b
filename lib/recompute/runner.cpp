#include "recompute/runner.h"

#include <algorithm>
#include <map>
#include <new>
#include <set>

#include "backend/device_error.h"
#include "recompute/request_probe.h"

namespace kvmend {
namespace {

ModelFacts facts_of(const ModelConfig& model) {
  return {model.n_layers, model.position == PositionKind::rope, model.sliding_window > 0};
}

/// Whether the strategy, or one that it is made of, was loaded: what such code throws is no defect of ours.
bool from_plugin(const Strategy& strategy) {
  if (!strategy.info.plugin.empty()) return true;
  const auto parts = strategy.selector->parts();
  return std::any_of(parts.begin(), parts.end(), [](const auto& part) { return from_plugin(*part); });
}

/// What cells with the same reuse key share.
struct Shared {
  Shared(Engine& engine, const Request& request, const ReuseKey& key, const RunnerOptions& options)
      : context(engine, request, key, options.bos), probe(engine, context, options.sample_id) {}
  ReusedContext context;
  RequestProbe probe;
};

class RequestRun {
 public:
  RequestRun(Engine& engine, const Request& request, std::span<const CellSpec> cells, const RunnerOptions& options)
      : engine_(engine), request_(request), cells_(cells), options_(options), outcomes_(cells.size()) {}

  std::vector<Outcome> run() {
    // Cells of one reuse key run together, so that a base lives no longer than its last cell.
    std::map<ReuseKey, std::vector<std::size_t>> by_key;
    for (std::size_t i = 0; i < cells_.size(); ++i) by_key[reuse_key(cells_[i].strategy->options)].push_back(i);
    for (const auto& [key, members] : by_key) {
      run_cells(members);
      shared_.reset();
    }
    return std::move(outcomes_);
  }

 private:
  struct Running {
    std::size_t index;
    std::unique_ptr<CellRun> cell;
  };

  /// Why to start again: memory ran out, or a stored chunk was damaged and is gone now.
  enum class Again { no, memory, damage };

  /// Runs body. What it throws is the cells' error, unless starting again helps.
  template <class Body>
  Again guarded(std::span<const std::size_t> cells, const Body& body) {
    std::string error;
    ErrorKind kind = ErrorKind::internal;
    Again again = Again::no;
    try {
      body();
    } catch (const DeviceLost&) {
      throw;
    } catch (const OutOfMemory& failure) {
      error = failure.what();
      kind = kind_of(failure);
      again = Again::memory;
    } catch (const std::bad_alloc& failure) {
      error = "out of memory";
      kind = kind_of(failure);
      again = Again::memory;
    } catch (const StaleChunk& stale) {
      stale.reject();
      error = stale.what();
      kind = kind_of(stale);
      again = Again::damage;
    } catch (const std::exception& failure) {
      error = failure.what();
      kind = kind_of(failure);
    }
    for (const std::size_t i : cells) {
      const bool not_ours = kind == ErrorKind::internal && from_plugin(*cells_[i].strategy);
      outcomes_[i].error = error;
      outcomes_[i].error_kind = not_ours ? ErrorKind::usage : kind;
    }
    return again;
  }

  /// Cells of one reuse key, in groups that fit the memory.
  void run_cells(std::span<const std::size_t> cells) {
    for (const std::size_t i : cells) {
      bool freed = false;
      while (true) {
        const Again again = guarded({&i, 1}, [&] { start(i); });
        if (outcomes_[i].error.empty()) break;
        finish_group();  // its overlays go, and what was shared: a failure may have left it half made
        shared_.reset();
        if (again == Again::damage) continue;  // with one file less
        if (again == Again::no || freed) break;
        engine_.make_room();
        freed = true;
      }
      if (group_bytes_ >= group_limit_) finish_group();
    }
    finish_group();
  }

  void start(std::size_t i) {
    if (options_.on_cell) options_.on_cell(i);
    const CellSpec& spec = cells_[i];
    check_strategy(*spec.strategy, engine_.model().config());
    for (const std::string& name : spec.strategy->selector->auxiliary_models())
      check_auxiliary(*spec.strategy, name, engine_.auxiliary(name).engine().model().config());
    if (!shared_) shared_ = std::make_unique<Shared>(engine_, request_, reuse_key(spec.strategy->options), options_);
    auto cell =
        std::make_unique<CellRun>(engine_, shared_->probe, spec.strategy, spec.ratio, options_.decode.max_new_tokens);
    cell->prefill();
    group_bytes_ += cell->bytes();
    group_.push_back({i, std::move(cell)});
  }

  /// Decodes the cells begun and lets go of them.
  void finish_group() {
    std::vector<std::size_t> indices;
    std::vector<CellRun*> cells;
    for (const Running& running : group_) {
      indices.push_back(running.index);
      cells.push_back(running.cell.get());
    }
    const Again again = guarded(indices, [&] { decode(engine_, cells, options_.decode); });
    if (again != Again::no && (cells.size() > 1 || tried_alone_.insert(indices.front()).second)) {
      group_limit_ = group_bytes_ / 2;  // what was decoded so far is worth less than the memory it takes
      group_.clear();
      group_bytes_ = 0;
      shared_.reset();
      engine_.make_room();
      const auto all = std::span<const std::size_t>(indices);
      run_cells(all.first(all.size() / 2));
      run_cells(all.subspan(all.size() / 2));
      return;
    }
    for (Running& running : group_) {
      Outcome& outcome = outcomes_[running.index];
      Outcome& decoded = running.cell->outcome();
      decoded.error = std::move(outcome.error);
      decoded.error_kind = outcome.error_kind;
      outcome = std::move(decoded);
    }
    group_.clear();
    group_bytes_ = 0;
  }

  Engine& engine_;
  const Request& request_;
  std::span<const CellSpec> cells_;
  const RunnerOptions& options_;
  std::vector<Outcome> outcomes_;
  std::unique_ptr<Shared> shared_;     ///< of the reuse key at work
  std::vector<Running> group_;         ///< prefilled, to be decoded together
  std::set<std::size_t> tried_alone_;  ///< cells whose decoding had nothing beside it and was started again
  std::int64_t group_bytes_ = 0, group_limit_ = options_.group_bytes;
};

}  // namespace

std::int64_t overlay_budget(const DeviceMemory& memory) { return std::max<std::int64_t>(1LL << 30, memory.free / 8); }

void check_strategy(const Strategy& strategy, const ModelConfig& model) {
  check_decoder(model);
  if (strategy.info.moves_keys && model.position != PositionKind::rope) {
    fail(
        ErrorKind::usage,
        "{}: {} models learn their positions: the keys of a chunk hold the place it was cached at and cannot be moved; "
        "what works: full, no_context, prefix, reuse_local, and kvmend recycle",
        strategy.info.name, model.architecture);
  }
  check_model(strategy, facts_of(model));
}

void check_auxiliary(const Strategy& strategy, const std::string& name, const ModelConfig& model) {
  check_decoder(model);
  strategy.selector->check_auxiliary(name, facts_of(model), strategy.options);
}

std::vector<Outcome> run_request(Engine& engine, const Request& request, std::span<const CellSpec> cells,
                                 const RunnerOptions& options) {
  check_request(request, engine.model().config().vocab, engine.model().config().context_length);
  return RequestRun(engine, request, cells, options).run();
}

}  // namespace kvmend
