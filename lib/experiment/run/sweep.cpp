#include "experiment/run/sweep.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "experiment/config/grid.h"
#include "experiment/run/answer.h"
#include "experiment/run/cost_estimate.h"
#include "experiment/run/missing_inputs.h"
#include "experiment/run/run_record.h"
#include "experiment/store/stored_metric.h"
#include "experiment/store/sweep_mixing.h"
#include "experiment/text/labels.h"

namespace kvmend {
namespace {

/// Before anything is stored: prompts that do not fit the model's context are refused.
std::vector<Cell> fitting_grid(const Config& config, const Session& session, int limit) {
  session.check_prompts();
  session.check_samples(limit);
  return make_grid(config);
}

}  // namespace

Sweep::Sweep(const SweepOptions& options)
    : options_(options),
      config_(load_config(options.configs, options.settings)),
      session_(require_inputs(config_)),
      grid_(fitting_grid(config_, session_, options.limit)),
      path_(options.store.empty() ? std::filesystem::path(config_.name + ".kvmend") : options.store),
      store_(Store::open(path_, Store::Mode::write)) {
  for (const Cell& cell : grid_) {
    records_.push_back(make_cell_record(config_, cell, session_.identity()));
    records_.back().samples = samples(cell.task);
  }
}

RunRecord Sweep::run_record() const { return make_run_record(config_, session_, options_); }

int Sweep::samples(int task) const {
  return options_.limit < 0 ? session_.samples(task) : std::min(options_.limit, session_.samples(task));
}

void Sweep::announce() {
  for (const std::string& warning : config_.warnings) fmt::print(stderr, "kvmend: warning: {}\n", warning);
  if (!options_.quiet) {
    for (const TaskNote& note : session_.notes()) fmt::print(stderr, "kvmend: {}: {}\n", note.task, note.text);
    for (const std::string& task : store_.redacted_tasks())
      fmt::print(stderr, "kvmend: {}: stores no texts of {} (merge --redact)\n", path_.string(), task);
  }
  if (const std::string mixes = mixing_warning(store_, records_); !mixes.empty())
    fmt::print(stderr, "kvmend: warning: {}\n", mixes);
}

void Sweep::take_over_metrics() {
  std::map<std::string, std::string> wanted;  // by prompts
  for (std::size_t i = 0; i < grid_.size(); ++i) {
    const int task = grid_[i].task;
    if (samples(task) > 0 && !wanted.contains(records_[i].prompts))
      wanted[records_[i].prompts] = session_.task(task).sample(0).metric;
  }
  for (const MetricChange& change : adopt_metrics(store_, wanted))
    fmt::print(stderr, "kvmend: {}: {} results of {} were scored by {}; they are scored again, by the config's {}\n",
               path_.string(), change.results, change.task, change.from, change.to);
}

void Sweep::begin(std::int64_t run) {
  run_ = run;
  store_.add_cells(run_, records_);
}

MissingWork Sweep::missing_work() {
  MissingWork work;
  for (int task = 0; task < static_cast<int>(config_.tasks.size()); ++task) {
    for (int chunker = 0; chunker < static_cast<int>(config_.chunkers.size()); ++chunker) {
      std::vector<std::size_t> cells;
      std::vector<std::string> keys;
      for (std::size_t i = 0; i < grid_.size(); ++i) {
        if (grid_[i].task != task || grid_[i].chunker != chunker) continue;
        cells.push_back(i);
        keys.push_back(records_[i].key);
      }
      for (int i = options_.shard - 1; i < samples(task); i += options_.shards)
        work.wanted += static_cast<std::int64_t>(cells.size());
      std::optional<CostEstimate> cost;
      for (const MissingSample& missing : store_.missing(keys, samples(task), options_.retry_failed)) {
        if (missing.position % options_.shards != options_.shard - 1) continue;
        if (!cost) cost.emplace(session_.files().config(), session_.prompt(task, chunker, missing.position));
        SampleCells item{task, chunker, missing.position, {}, cost->shared(), {}};
        for (const std::size_t c : missing.cells) {
          item.cells.push_back(cells[c]);
          const Cell& cell = grid_[cells[c]];
          item.cost += cost->cell(*config_.strategies[static_cast<std::size_t>(cell.strategy)].strategy, cell.ratio);
        }
        work.samples.push_back(std::move(item));
      }
    }
  }
  std::stable_sort(work.samples.begin(), work.samples.end(),
                   [](const SampleCells& a, const SampleCells& b) { return a.position < b.position; });
  return work;
}

void Sweep::put(const SampleCells& item, const Prompt& prompt, std::vector<CellAnswer> answers) {
  const SampleRecord sample = make_sample_record(prompt, records_[item.cells.front()].prompts, item.position);
  std::vector<ResultRecord> results;
  for (CellAnswer& answer : answers) {
    ResultRecord result;
    result.cell = records_[answer.cell].key;
    result.outcome = std::move(answer.outcome);
    result.prediction =
        cut_at_stop(session_.tokenizer().decode(result.outcome.prediction_ids, true), prompt.sample.stop);
    if (!config_.store_scores) result.outcome.scores.clear();
    result.shared_timing = item.cells.size() > 1;
    if (result.outcome.error.empty()) result.score = score_prediction(sample, result.prediction);
    results.push_back(std::move(result));
  }
  store_.put_sample(run_, sample, results);
  if (options_.verbose) fmt::print(stderr, "kvmend: stored {}: {} results\n", sample.id, results.size());
}

FailedResults Sweep::failed(std::size_t most) {
  std::set<std::string> keys;
  for (const CellRecord& record : records_) keys.insert(record.key);
  return failed_results(store_, keys, most);
}

std::string Sweep::name_of(const SampleCells& item) const {
  return fmt::format("{} sample {}", config_.tasks[static_cast<std::size_t>(item.task)].label, item.position);
}

std::string Sweep::name_of(std::size_t cell) const { return at_ratio(records_[cell].label, records_[cell].ratio); }

const std::string& Sweep::strategy_of(std::size_t cell) const {
  return config_.strategies[static_cast<std::size_t>(grid_[cell].strategy)].strategy->info.name;
}

}  // namespace kvmend
