#include "recompute/runner.h"

#include <map>

#include "core/error.h"
#include "recompute/request_probe.h"

namespace kvmend {
namespace {

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
      std::unique_ptr<Shared> shared;
      for (const std::size_t i : members) {
        guarded(i, [&, &key = key] {
          if (!shared) shared = std::make_unique<Shared>(engine_, request_, key, options_);
          start(i, *shared);
        });
      }
      finish_group();
    }
    return std::move(outcomes_);
  }

 private:
  struct Running {
    std::size_t index;
    std::unique_ptr<CellRun> cell;
  };

  template <class Body>
  void guarded(std::size_t i, const Body& body) {
    try {
      body();
    } catch (const std::exception& error) {
      outcomes_[i].error = error.what();
    }
  }

  void start(std::size_t i, Shared& shared) {
    if (options_.on_cell) options_.on_cell(i);
    check_strategy(*cells_[i].strategy, engine_.model().config());
    auto cell = std::make_unique<CellRun>(engine_, shared.probe, cells_[i].strategy, cells_[i].ratio,
                                          options_.decode.max_new_tokens);
    cell->prefill();
    group_bytes_ += cell->bytes();
    group_.push_back({i, std::move(cell)});
    if (group_bytes_ >= options_.group_bytes) finish_group();
  }

  void finish_group() {
    std::vector<CellRun*> cells;
    for (const Running& running : group_) cells.push_back(running.cell.get());
    std::string error;
    try {
      decode(engine_, cells, options_.decode);
    } catch (const std::exception& failure) {
      error = failure.what();
    }
    for (Running& running : group_) {
      outcomes_[running.index] = std::move(running.cell->outcome());
      outcomes_[running.index].error = error;
    }
    group_.clear();
    group_bytes_ = 0;
  }

  Engine& engine_;
  const Request& request_;
  std::span<const CellSpec> cells_;
  const RunnerOptions& options_;
  std::vector<Outcome> outcomes_;
  std::vector<Running> group_;
  std::int64_t group_bytes_ = 0;
};

}  // namespace

void check_strategy(const Strategy& strategy, const ModelConfig& model) {
  check_decoder(model);
  if (strategy.info.moves_keys && model.position != PositionKind::rope) {
    fail(
        ErrorKind::usage,
        "{}: {} models learn their positions: the keys of a chunk hold the place it was cached at and cannot be moved; "
        "what works: full, no_context, prefix, reuse_local, and kvmend recycle",
        strategy.info.name, model.architecture);
  }
  strategy.selector->check_model({model.n_layers, model.position == PositionKind::rope, model.sliding_window > 0});
}

std::vector<Outcome> run_request(Engine& engine, const Request& request, std::span<const CellSpec> cells,
                                 const RunnerOptions& options) {
  check_request(request, engine.model().config().vocab, engine.model().config().context_length);
  return RequestRun(engine, request, cells, options).run();
}

}  // namespace kvmend
