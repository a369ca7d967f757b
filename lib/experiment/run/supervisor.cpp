#include "experiment/run/supervisor.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "core/cancel.h"
#include "core/error.h"
#include "core/progress.h"
#include "experiment/run/run_scope.h"
#include "experiment/run/sample_worker.h"
#include "experiment/run/sweep.h"
#include "experiment/run/worker.h"
#include "recompute/plugin.h"
#include "recompute/stopwatch.h"

namespace kvmend {
namespace {

std::array<int, 3> place_of(const SampleCells& item) { return {item.task, item.chunker, item.position}; }

class Supervisor {
 public:
  explicit Supervisor(const SweepOptions& options) : options_(options), sweep_(options) {}

  SweepResult run() {
    sweep_.announce();
    sweep_.take_over_metrics();
    RunScope scope(sweep_.store(), sweep_.run_record());
    sweep_.begin(scope.id());
    MissingWork work = sweep_.missing_work();
    for (SampleCells& item : work.samples) {
      item.on_cell = [this, &item](std::size_t cell) { begin_cell(item, cell); };
      left_ += static_cast<std::int64_t>(item.cells.size());
      cost_ += item.cost;
    }
    result_.present = work.wanted - left_;
    Progress progress(left_, "results", options_.quiet);
    progress_ = &progress;
    samples_ = work.samples.size();
    show_samples();
    share(work.samples);
    progress.clear();
    finish();
    scope.end(result_.stopped_by ? "interrupted" : "done");
    return result_;
  }

 private:
  bool should_stop();
  void begin_cell(const SampleCells& item, std::size_t cell);
  void show_samples() { progress_->set_beside(fmt::format("{}/{} samples", samples_done_, samples_)); }
  void finish();
  void share(const std::vector<SampleCells>& items);
  const SampleCells* take(const std::vector<SampleCells>& items);
  void work(SampleWorker& worker, const std::vector<SampleCells>& items);
  void give_back(const SampleCells& item, const std::vector<std::size_t>& answered);
  std::vector<std::string> worker_command(const std::string& device) const;

  const SweepOptions& options_;
  Sweep sweep_;
  std::size_t samples_ = 0, samples_done_ = 0;                 ///< to do, and of those done
  std::map<std::array<int, 3>, std::set<std::size_t>> begun_;  ///< cells, by the sample at work (place_of)
  std::int64_t left_ = 0;                                      ///< results to compute
  double cost_ = 0, done_ = 0;                                 ///< CostEstimate of all samples to do, and of those done
  Stopwatch watch_;
  Progress* progress_ = nullptr;
  std::mutex mutex_;                            ///< everything but the workers: one thread a device shares it
  bool ends_ = false;                           ///< something went wrong that concerns all of them
  std::size_t next_ = 0;                        ///< of the samples to do
  std::vector<const SampleCells*> given_back_;  ///< by workers whose device failed
  std::deque<SampleCells> rests_;               ///< of samples given back when some of their cells had been answered
  SweepResult result_;
};

/// Shows the cell at work; those begun before it, on all devices, count as done.
void Supervisor::begin_cell(const SampleCells& item, std::size_t cell) {
  const std::lock_guard lock(mutex_);
  begun_[place_of(item)].insert(cell);
  std::int64_t cells = result_.computed;
  for (const auto& [place, begun] : begun_) cells += static_cast<std::int64_t>(begun.size()) - 1;
  const double part = static_cast<double>(begun_[place_of(item)].size() - 1) / static_cast<double>(item.cells.size());
  progress_->update(cells, (done_ + part * item.cost) / cost_, sweep_.name_of(item) + ": " + sweep_.name_of(cell));
}

bool Supervisor::should_stop() {
  if (options_.max_seconds > 0 && watch_.seconds() >= options_.max_seconds) request_stop(SIGALRM);
  result_.stopped_by = stop_requested();
  return result_.stopped_by != 0;
}

std::vector<std::string> Supervisor::worker_command(const std::string& device) const {
  std::vector<std::string> command = options_.worker;
  command.insert(command.end(), {"--digest", config_digest(sweep_.config()), "--device", device});
  for (const std::string& setting : options_.settings) command.insert(command.end(), {"--set", setting});
  for (const Plugin& plugin : loaded_plugins()) command.insert(command.end(), {"--plugin", plugin.file.string()});
  for (const auto& path : options_.configs) command.push_back(path.string());
  return command;
}

/// One worker a device; whoever is free takes the next sample. A device that cannot be used any more gives its sample back to
/// the others. Throws when none is left, and what else one of them threw.
void Supervisor::share(const std::vector<SampleCells>& items) {
  std::vector<std::string> devices = device_list(sweep_.config().device), usable;
  std::exception_ptr error, device_error;
  const auto run_device = [&](const std::string& device) {
    try {
      SampleWorker worker(worker_command(device), [this](std::size_t cell) { return sweep_.strategy_of(cell); });
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
    const std::string doing = sweep_.name_of(*item);
    progress_->update(result_.computed, done_ / cost_, doing);
    const Prompt prompt = sweep_.prompt(*item);
    lock.unlock();
    SampleAnswers answers = worker.compute(*item, prompt.hash);
    std::vector<std::size_t> answered;
    for (const CellAnswer& answer : answers.cells) answered.push_back(answer.cell);
    lock.lock();
    begun_.erase(place_of(*item));
    if (!answered.empty()) sweep_.put(*item, prompt, std::move(answers.cells));
    result_.computed += static_cast<std::int64_t>(answered.size());
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

void Supervisor::finish() {
  result_.store = sweep_.path();
  result_.left = left_ - result_.computed;
  FailedResults failed = sweep_.failed(10);
  result_.failed = failed.count;
  result_.failures = std::move(failed.lines);
}

}  // namespace

SweepResult run_sweep(const SweepOptions& options) { return Supervisor(options).run(); }

}  // namespace kvmend
