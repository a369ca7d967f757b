#include "experiment/supervisor.h"

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/cancel.h"
#include "core/error.h"
#include "core/progress.h"
#include "experiment/answer.h"
#include "experiment/cost_estimate.h"
#include "experiment/grid.h"
#include "experiment/run_record.h"
#include "experiment/session.h"
#include "experiment/store.h"
#include "experiment/worker.h"
#include "experiment/worker_process.h"
#include "recompute/plugin.h"
#include "recompute/stopwatch.h"

namespace kvmend {
namespace {

using Json = nlohmann::json;

/// One prompt and the cells that lack it.
struct WorkItem {
  int task = 0, chunker = 0, position = 0;
  std::vector<std::size_t> cells;  ///< indices into the grid
  double cost = 0;                 ///< CostEstimate
};

/// Before anything is stored: prompts that do not fit the model's context are refused.
std::vector<Cell> fitting_grid(const Config& config, const Session& session, int limit) {
  session.check_prompts();
  session.check_samples(limit);
  return make_grid(config);
}

class Supervisor {
 public:
  explicit Supervisor(const SweepOptions& options)
      : options_(options),
        config_(load_config(options.configs, options.settings)),
        session_(config_),
        grid_(fitting_grid(config_, session_, options.limit)),
        path_(options.store.empty() ? std::filesystem::path(config_.name + ".kvmend") : options.store),
        store_(Store::open(path_, Store::Mode::write)) {
    for (const Cell& cell : grid_) records_.push_back(make_cell_record(config_, cell, session_.identity()));
  }

  SweepResult run() {
    for (const std::string& warning : config_.warnings) fmt::print(stderr, "kvmend: warning: {}\n", warning);
    if (!options_.quiet) {
      for (const TaskNote& note : session_.notes()) fmt::print(stderr, "kvmend: {}: {}\n", note.task, note.text);
    }
    run_ = store_.begin_run(make_run_record(config_, session_, options_));
    store_.add_cells(run_, records_);
    const std::vector<WorkItem> items = missing_work();
    for (const WorkItem& item : items) left_ += static_cast<std::int64_t>(item.cells.size());
    result_.present = wanted_ - left_;
    Progress progress(left_, "cells", options_.quiet);
    double done = 0, cost = 0;
    for (const WorkItem& item : items) cost += item.cost;
    for (const WorkItem& item : items) {
      if (should_stop()) break;
      const auto& task = config_.tasks[static_cast<std::size_t>(item.task)];
      const std::string current = fmt::format("{} sample {}", task.label, item.position);
      progress.update(result_.computed, done / cost, current);
      compute(item);
      done += item.cost;
      progress.update(result_.computed, done / cost, current);
    }
    worker_.reset();
    progress.clear();
    finish();
    return result_;
  }

 private:
  std::vector<WorkItem> missing_work();
  bool should_stop();
  void finish();
  void compute(const WorkItem& item);
  std::optional<std::size_t> attempt(const WorkItem& item, const Prompt& prompt, std::vector<std::size_t>& cells,
                                     std::vector<ResultRecord>& results);
  const std::string& strategy_of(std::size_t cell) const;
  WorkerProcess& worker();
  ResultRecord failed(std::size_t cell, std::string why) const;

  const SweepOptions& options_;
  Config config_;
  Session session_;
  std::vector<Cell> grid_;
  std::vector<CellRecord> records_;
  std::filesystem::path path_;
  Store store_;
  std::int64_t run_ = 0, wanted_ = 0, left_ = 0;
  std::unique_ptr<WorkerProcess> worker_;
  Stopwatch watch_;
  SweepResult result_;
};

/// What this shard's share of the grid lacks, sample by sample over all tasks, so that a run cut short is balanced.
std::vector<WorkItem> Supervisor::missing_work() {
  std::vector<WorkItem> items;
  for (int task = 0; task < static_cast<int>(config_.tasks.size()); ++task) {
    const int samples = options_.limit < 0 ? session_.samples(task) : std::min(options_.limit, session_.samples(task));
    for (int chunker = 0; chunker < static_cast<int>(config_.chunkers.size()); ++chunker) {
      std::vector<std::size_t> cells;
      std::vector<std::string> keys;
      for (std::size_t i = 0; i < grid_.size(); ++i) {
        if (grid_[i].task != task || grid_[i].chunker != chunker) continue;
        cells.push_back(i);
        keys.push_back(records_[i].key);
      }
      for (int i = options_.shard - 1; i < samples; i += options_.shards)
        wanted_ += static_cast<std::int64_t>(cells.size());
      std::optional<CostEstimate> cost;
      for (const MissingSample& missing : store_.missing(keys, samples, options_.retry_failed)) {
        if (missing.position % options_.shards != options_.shard - 1) continue;
        if (!cost) cost.emplace(session_.files().config(), session_.prompt(task, chunker, missing.position));
        WorkItem item{task, chunker, missing.position, {}, cost->shared()};
        for (const std::size_t c : missing.cells) {
          item.cells.push_back(cells[c]);
          const Cell& cell = grid_[cells[c]];
          item.cost += cost->cell(*config_.strategies[static_cast<std::size_t>(cell.strategy)].strategy, cell.ratio);
        }
        items.push_back(std::move(item));
      }
    }
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const WorkItem& a, const WorkItem& b) { return a.position < b.position; });
  return items;
}

bool Supervisor::should_stop() {
  if (options_.max_seconds > 0 && watch_.seconds() >= options_.max_seconds) request_stop(SIGALRM);
  result_.stopped_by = stop_requested();
  return result_.stopped_by != 0;
}

WorkerProcess& Supervisor::worker() {
  if (worker_) return *worker_;
  std::vector<std::string> command = options_.worker;
  command.insert(command.end(), {"--digest", config_digest(config_)});
  for (const std::string& setting : options_.settings) command.insert(command.end(), {"--set", setting});
  for (const Plugin& plugin : loaded_plugins()) command.insert(command.end(), {"--plugin", plugin.file.string()});
  for (const auto& path : options_.configs) command.push_back(path.string());
  worker_ = std::make_unique<WorkerProcess>(command);
  const auto hello = worker_->wire().receive();
  if (hello && hello->at("op") == "ready") return *worker_;
  if (hello && hello->at("op") == "fatal") {
    throw Error(static_cast<ErrorKind>(hello->at("kind").get<int>()), hello->at("message"));
  }
  fail(ErrorKind::device, "a worker died while it loaded the model: {}", worker_->cause_of_death());
}

ResultRecord Supervisor::failed(std::size_t cell, std::string why) const {
  ResultRecord result;
  result.cell = records_[cell].key;
  result.outcome.error = std::move(why);
  return result;
}

/// The name that a cell's strategy is registered by.
const std::string& Supervisor::strategy_of(std::size_t cell) const {
  return config_.strategies[static_cast<std::size_t>(grid_[cell].strategy)].strategy->info.name;
}

/// Sends one prompt to the worker. If it dies, the cell it was at is recorded as failed, taken off `cells` and returned.
std::optional<std::size_t> Supervisor::attempt(const WorkItem& item, const Prompt& prompt,
                                               std::vector<std::size_t>& cells, std::vector<ResultRecord>& results) {
  const Wire& wire = worker().wire();
  wire.send({{"op", "sample"},
             {"task", item.task},
             {"chunker", item.chunker},
             {"position", item.position},
             {"cells", cells}});
  std::size_t current = cells.front();
  while (const auto message = wire.receive()) {
    const std::string op = message->at("op");
    if (op == "cell") {
      current = message->at("cell");
    } else if (op == "fatal") {
      throw Error(static_cast<ErrorKind>(message->at("kind").get<int>()), message->at("message"));
    } else {
      require(message->at("hash") == prompt.hash, "supervisor and worker made different prompts of {}",
              prompt.sample.id);
      const auto& outcomes = message->at("outcomes");
      for (std::size_t i = 0; i < cells.size(); ++i) {
        ResultRecord result;
        result.cell = records_[cells[i]].key;
        result.outcome = outcome_from_wire(outcomes.at(i));
        result.prediction =
            cut_at_stop(session_.tokenizer().decode(result.outcome.prediction_ids, true), prompt.sample.stop);
        if (!config_.store_scores) result.outcome.scores.clear();
        result.shared_timing = cells.size() > 1;
        results.push_back(std::move(result));
      }
      return std::nullopt;
    }
  }
  results.push_back(failed(current, "the worker died in this cell: " + worker_->cause_of_death()));
  worker_.reset();
  std::erase(cells, current);
  return current;
}

void Supervisor::compute(const WorkItem& item) {
  const Prompt prompt = session_.prompt(item.task, item.chunker, item.position);
  SampleRecord sample = make_sample_record(prompt, records_[item.cells.front()].prompts, item.position);
  std::vector<ResultRecord> results;
  std::vector<std::size_t> cells = item.cells;
  if (const auto dead = attempt(item, prompt, cells, results)) {
    // Once more without that cell. What may well die of the same cause comes last: its strategy at other ratios.
    const auto siblings = std::stable_partition(
        cells.begin(), cells.end(), [&](std::size_t cell) { return strategy_of(cell) != strategy_of(*dead); });
    std::vector<std::size_t> others(cells.begin(), siblings), same(siblings, cells.end());
    for (std::vector<std::size_t>* rest : {&others, &same}) {
      if (rest->empty() || !attempt(item, prompt, *rest, results)) continue;
      for (const std::size_t cell : *rest)
        results.push_back(failed(cell, "not run: the worker died twice on this sample"));
    }
  }
  for (ResultRecord& result : results) {
    if (result.outcome.error.empty()) result.score = score_prediction(sample, result.prediction);
  }
  store_.put_sample(run_, sample, results);
  if (options_.verbose) fmt::print(stderr, "kvmend: stored {}: {} results\n", sample.id, results.size());
  result_.computed += static_cast<std::int64_t>(results.size());
}

void Supervisor::finish() {
  result_.store = path_;
  result_.left = left_ - result_.computed;
  std::set<std::string> keys;
  for (const CellRecord& record : records_) keys.insert(record.key);
  const auto cells = store_.cells();
  const auto ids = store_.cell_ids();
  for (const ResultRow& row : store_.results()) {
    if (!row.failed) continue;
    const auto at = static_cast<std::size_t>(std::find(ids.begin(), ids.end(), row.cell) - ids.begin());
    if (at >= cells.size() || !keys.contains(cells[at].key)) continue;
    ++result_.failed;
    if (result_.failures.size() < 10) {
      const std::string ratio = cells[at].ratio ? fmt::format(" at {}", *cells[at].ratio) : "";
      result_.failures.push_back(fmt::format("{}{} on {}: {}", cells[at].label, ratio, cells[at].task, row.error));
    }
  }
  store_.end_run(run_, result_.stopped_by ? "interrupted" : "done");
}

}  // namespace

SweepResult run_sweep(const SweepOptions& options) { return Supervisor(options).run(); }

}  // namespace kvmend
