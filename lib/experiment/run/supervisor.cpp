#include "experiment/run/supervisor.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "core/cancel.h"
#include "core/error.h"
#include "core/progress.h"
#include "experiment/config/grid.h"
#include "experiment/run/answer.h"
#include "experiment/run/cost_estimate.h"
#include "experiment/run/failed_results.h"
#include "experiment/run/missing_inputs.h"
#include "experiment/run/run_record.h"
#include "experiment/run/run_scope.h"
#include "experiment/run/sample_worker.h"
#include "experiment/run/session.h"
#include "experiment/run/worker.h"
#include "experiment/store/store.h"
#include "experiment/store/stored_metric.h"
#include "experiment/store/sweep_mixing.h"
#include "experiment/text/labels.h"
#include "recompute/plugin.h"
#include "recompute/stopwatch.h"

namespace kvmend {
namespace {

/// Before anything is stored: prompts that do not fit the model's context are refused.
std::vector<Cell> fitting_grid(const Config& config, const Session& session, int limit) {
  session.check_prompts();
  session.check_samples(limit);
  return make_grid(config);
}

std::array<int, 3> place_of(const SampleCells& item) { return {item.task, item.chunker, item.position}; }

class Supervisor {
 public:
  explicit Supervisor(const SweepOptions& options)
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

  SweepResult run() {
    for (const std::string& warning : config_.warnings) fmt::print(stderr, "kvmend: warning: {}\n", warning);
    if (!options_.quiet) {
      for (const TaskNote& note : session_.notes()) fmt::print(stderr, "kvmend: {}: {}\n", note.task, note.text);
      for (const std::string& task : store_.redacted_tasks())
        fmt::print(stderr, "kvmend: {}: stores no texts of {} (merge --redact)\n", path_.string(), task);
    }
    if (const std::string mixes = mixing_warning(store_, records_); !mixes.empty())
      fmt::print(stderr, "kvmend: warning: {}\n", mixes);
    take_over_metrics();
    RunScope scope(store_, make_run_record(config_, session_, options_));
    run_ = scope.id();
    store_.add_cells(run_, records_);
    const std::vector<SampleCells> items = missing_work();
    for (const SampleCells& item : items) {
      left_ += static_cast<std::int64_t>(item.cells.size());
      cost_ += item.cost;
    }
    result_.present = wanted_ - left_;
    Progress progress(left_, "results", options_.quiet);
    progress_ = &progress;
    samples_ = items.size();
    show_samples();
    share(items);
    progress.clear();
    finish();
    scope.end(result_.stopped_by ? "interrupted" : "done");
    return result_;
  }

 private:
  /// How many of a task's samples this run wants, all shards together.
  int samples(int task) const {
    return options_.limit < 0 ? session_.samples(task) : std::min(options_.limit, session_.samples(task));
  }
  void take_over_metrics();
  std::vector<SampleCells> missing_work();
  bool should_stop();
  void begin_cell(const SampleCells& item, std::size_t cell);
  std::string name_of(const SampleCells& item) const {
    return fmt::format("{} sample {}", config_.tasks[static_cast<std::size_t>(item.task)].label, item.position);
  }
  void show_samples() { progress_->set_beside(fmt::format("{}/{} samples", samples_done_, samples_)); }
  void finish();
  void share(const std::vector<SampleCells>& items);
  const SampleCells* take(const std::vector<SampleCells>& items);
  void work(SampleWorker& worker, const std::vector<SampleCells>& items);
  void put(const SampleCells& item, const Prompt& prompt, std::vector<CellAnswer> answers);
  void give_back(const SampleCells& item, const std::vector<std::size_t>& answered);
  const std::string& strategy_of(std::size_t cell) const;
  std::vector<std::string> worker_command(const std::string& device) const;

  const SweepOptions& options_;
  Config config_;
  Session session_;
  std::vector<Cell> grid_;
  std::vector<CellRecord> records_;
  std::filesystem::path path_;
  Store store_;
  std::size_t samples_ = 0, samples_done_ = 0;                 ///< to do, and of those done
  std::map<std::array<int, 3>, std::set<std::size_t>> begun_;  ///< cells, by the sample at work (place_of)
  std::int64_t run_ = 0, wanted_ = 0, left_ = 0;
  double cost_ = 0, done_ = 0;  ///< CostEstimate of all samples to do, and of those done
  Stopwatch watch_;
  Progress* progress_ = nullptr;
  std::mutex mutex_;                            ///< everything but the workers: one thread a device shares it
  bool ends_ = false;                           ///< something went wrong that concerns all of them
  std::size_t next_ = 0;                        ///< of the samples to do
  std::vector<const SampleCells*> given_back_;  ///< by workers whose device failed
  std::deque<SampleCells> rests_;               ///< of samples given back when some of their cells had been answered
  SweepResult result_;
};

/// A cell is scored by one metric, the config's: what is stored by another is scored again.
void Supervisor::take_over_metrics() {
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

/// What this shard's share of the grid lacks, sample by sample over all tasks, so that a run cut short is balanced.
std::vector<SampleCells> Supervisor::missing_work() {
  std::vector<SampleCells> items;
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
        wanted_ += static_cast<std::int64_t>(cells.size());
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
        item.on_cell = [this, item](std::size_t cell) { begin_cell(item, cell); };
        items.push_back(std::move(item));
      }
    }
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const SampleCells& a, const SampleCells& b) { return a.position < b.position; });
  return items;
}

/// Shows the cell at work; those begun before it, on all devices, count as done.
void Supervisor::begin_cell(const SampleCells& item, std::size_t cell) {
  const std::lock_guard lock(mutex_);
  begun_[place_of(item)].insert(cell);
  std::int64_t cells = result_.computed;
  for (const auto& [place, begun] : begun_) cells += static_cast<std::int64_t>(begun.size()) - 1;
  const double part = static_cast<double>(begun_[place_of(item)].size() - 1) / static_cast<double>(item.cells.size());
  const CellRecord& record = records_[cell];
  progress_->update(cells, (done_ + part * item.cost) / cost_,
                    name_of(item) + ": " + at_ratio(record.label, record.ratio));
}

bool Supervisor::should_stop() {
  if (options_.max_seconds > 0 && watch_.seconds() >= options_.max_seconds) request_stop(SIGALRM);
  result_.stopped_by = stop_requested();
  return result_.stopped_by != 0;
}

std::vector<std::string> Supervisor::worker_command(const std::string& device) const {
  std::vector<std::string> command = options_.worker;
  command.insert(command.end(), {"--digest", config_digest(config_), "--device", device});
  for (const std::string& setting : options_.settings) command.insert(command.end(), {"--set", setting});
  for (const Plugin& plugin : loaded_plugins()) command.insert(command.end(), {"--plugin", plugin.file.string()});
  for (const auto& path : options_.configs) command.push_back(path.string());
  return command;
}

/// The name that a cell's strategy is registered by.
const std::string& Supervisor::strategy_of(std::size_t cell) const {
  return config_.strategies[static_cast<std::size_t>(grid_[cell].strategy)].strategy->info.name;
}

/// One worker a device; whoever is free takes the next sample. A device that cannot be used any more gives its sample back to
/// the others. Throws when none is left, and what else one of them threw.
void Supervisor::share(const std::vector<SampleCells>& items) {
  std::vector<std::string> devices = device_list(config_.device), usable;
  std::exception_ptr error, device_error;
  const auto run_device = [&](const std::string& device) {
    try {
      SampleWorker worker(worker_command(device), [this](std::size_t cell) { return strategy_of(cell); });
      work(worker, items);
      const std::lock_guard lock(mutex_);
      usable.push_back(device);
    } catch (const Error& failure) {
      const std::lock_guard lock(mutex_);
      const bool others = failure.kind() == ErrorKind::device && devices.size() > 1;
      if (others) fmt::print(stderr, "kvmend: {} is not used any more: {}\n", device, failure.what());
      (others ? device_error : error) = std::current_exception();
      ends_ |= !others;
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error = std::current_exception();
      ends_ = true;
    }
  };
  for (; !devices.empty(); devices = std::exchange(usable, {})) {
    {
      const std::size_t started = std::min(devices.size(), std::max<std::size_t>(1, items.size()));
      usable.assign(devices.begin() + static_cast<std::ptrdiff_t>(started), devices.end());  // for what is given back
      std::vector<std::jthread> others;
      for (std::size_t i = 1; i < started; ++i) others.emplace_back(run_device, devices[i]);
      run_device(devices.front());
    }
    if (error) std::rethrow_exception(error);
    if (given_back_.empty() || stop_requested() != 0) return;  // else those that work do what was given back too late
  }
  std::rethrow_exception(device_error);
}

/// Null where there is nothing left to do, or something else went wrong.
const SampleCells* Supervisor::take(const std::vector<SampleCells>& items) {
  if (ends_ || should_stop()) return nullptr;
  if (!given_back_.empty()) {
    const SampleCells* item = given_back_.back();
    given_back_.pop_back();
    return item;
  }
  return next_ < items.size() ? &items[next_++] : nullptr;
}

void Supervisor::work(SampleWorker& worker, const std::vector<SampleCells>& items) {
  std::unique_lock lock(mutex_);
  while (const SampleCells* item = take(items)) {
    const std::string doing = name_of(*item);
    progress_->update(result_.computed, done_ / cost_, doing);
    const Prompt prompt = session_.prompt(item->task, item->chunker, item->position);
    lock.unlock();
    SampleAnswers answers = worker.compute(*item, prompt.hash);
    std::vector<std::size_t> answered;
    for (const CellAnswer& answer : answers.cells) answered.push_back(answer.cell);
    lock.lock();
    begun_.erase(place_of(*item));
    if (!answered.empty()) put(*item, prompt, std::move(answers.cells));
    if (answers.failure) {
      give_back(*item, answered);
      std::rethrow_exception(answers.failure);
    }
    done_ += item->cost;
    ++samples_done_;
    show_samples();
    progress_->update(result_.computed, done_ / cost_, doing);
  }
}

/// What of it was not answered, for another device. Who takes it begins all of its cells.
void Supervisor::give_back(const SampleCells& item, const std::vector<std::size_t>& answered) {
  SampleCells& rest = rests_.emplace_back(item);
  std::erase_if(rest.cells,
                [&](std::size_t cell) { return std::find(answered.begin(), answered.end(), cell) != answered.end(); });
  if (rest.cells.empty()) return;
  rest.cost *= static_cast<double>(rest.cells.size()) / static_cast<double>(item.cells.size());
  done_ += item.cost - rest.cost;
  rest.on_cell = [this, &rest](std::size_t cell) { begin_cell(rest, cell); };
  given_back_.push_back(&rest);
}

void Supervisor::put(const SampleCells& item, const Prompt& prompt, std::vector<CellAnswer> answers) {
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
  result_.computed += static_cast<std::int64_t>(results.size());
}

void Supervisor::finish() {
  result_.store = path_;
  result_.left = left_ - result_.computed;
  std::set<std::string> keys;
  for (const CellRecord& record : records_) keys.insert(record.key);
  FailedResults failed = failed_results(store_, keys, 10);
  result_.failed = failed.count;
  result_.failures = std::move(failed.lines);
}

}  // namespace

SweepResult run_sweep(const SweepOptions& options) { return Supervisor(options).run(); }

}  // namespace kvmend
