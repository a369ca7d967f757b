#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiment/config/config.h"
#include "experiment/run/failed_results.h"
#include "experiment/run/sample_worker.h"
#include "experiment/run/session.h"
#include "experiment/run/sweep_options.h"
#include "experiment/store/store.h"

namespace kvmend {

/// What a store lacks of a run's share of the grid.
struct MissingWork {
  std::vector<SampleCells> samples;  ///< without SampleCells::on_cell
  std::int64_t wanted = 0;           ///< (cell, sample) results of that share, those the store has included
};

/// A config's grid and the store of its results: which of them are missing, and what a worker's answers become there. Who
/// computes them is the supervisor's matter.
class Sweep {
 public:
  /// Opens config, model, data and store, which is made if it is not there. Before that, prompts that do not fit the model's
  /// context are refused. Throws what load_config, Session and Store::open throw, and Error(usage) for inputs that are not there.
  explicit Sweep(const SweepOptions& options);
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  const Config& config() const { return config_; }
  const std::filesystem::path& path() const { return path_; }
  Store& store() { return store_; }
  RunRecord run_record() const;

  /// Says on stderr what the user should know before anything is computed.
  void announce();
  /// A cell is scored by one metric, the config's: what is stored by another is scored again.
  void take_over_metrics();
  /// What is stored from now on belongs to this run, whose cells are the grid's.
  void begin(std::int64_t run);

  /// By position over all tasks, so that a run cut short is balanced.
  MissingWork missing_work();
  Prompt prompt(const SampleCells& item) const { return session_.prompt(item.task, item.chunker, item.position); }
  /// Stores a sample with the answers, in one transaction; `item` is what was asked of it.
  void put(const SampleCells& item, const Prompt& prompt, std::vector<CellAnswer> answers);
  /// Of the grid; the first `most` with a line each.
  FailedResults failed(std::size_t most);

  std::string name_of(const SampleCells& item) const;  ///< "ruler/vt sample 3"
  std::string name_of(std::size_t cell) const;         ///< "epic at 0.2"
  /// The name that a cell's strategy is registered by.
  const std::string& strategy_of(std::size_t cell) const;

 private:
  /// How many of a task's samples this run wants, all shards together.
  int samples(int task) const;

  const SweepOptions& options_;
  Config config_;
  Session session_;
  std::vector<Cell> grid_;
  std::vector<CellRecord> records_;  ///< of the grid's cells
  std::filesystem::path path_;
  Store store_;
  std::int64_t run_ = 0;
};

}  // namespace kvmend
