#pragma once
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "experiment/run/worker_process.h"

namespace kvmend {

/// One prompt and cells of it, as indices into the grid.
struct SampleCells {
  int task = 0, chunker = 0, position = 0;
  std::vector<std::size_t> cells;
  double cost = 0;                                  ///< CostEstimate
  std::function<void(std::size_t cell)> on_cell{};  ///< called as each cell begins, from the thread that computes
};

struct CellAnswer {
  std::size_t cell = 0;
  Outcome outcome;  ///< with its error where the cell failed
};

/// What became of a sample's cells.
struct SampleAnswers {
  std::vector<CellAnswer> cells;  ///< all of them, in any order; with a failure those that were answered before it
  std::exception_ptr failure;     ///< why this worker cannot go on; null: it can
};

/// The worker of one device: started when it is first needed, replaced when it died or its device was lost. A cell that
/// kills the process is recorded as failed and the rest of the sample tried once more without it; after a lost device that
/// cell is tried once more too, alone, for the fault may be the device's.
class SampleWorker {
 public:
  using StrategyOf = std::function<std::string(std::size_t cell)>;
  /// `command` starts a worker: WorkerProcess adds the wire.
  SampleWorker(std::vector<std::string> command, StrategyOf strategy_of)
      : command_(std::move(command)), strategy_of_(std::move(strategy_of)) {}

  /// `prompt_hash` is the supervisor's own. The failure is the worker's Error where it says that nothing can go on (a model
  /// that does not load, a missing device), Error(device) where it dies before it is ready. Throws nothing of a worker.
  SampleAnswers compute(const SampleCells& sample, const std::string& prompt_hash);

 private:
  struct Loss {
    std::size_t cell = 0;  ///< the one at work
    bool device = false;   ///< the worker ended in order, the device was lost
    std::string why;
  };
  const Wire& started();
  std::optional<Loss> attempt(const SampleCells& sample, const std::string& prompt_hash,
                              std::vector<CellAnswer>& answers);
  void compute(const SampleCells& sample, const std::string& prompt_hash, std::vector<CellAnswer>& answers);

  std::vector<std::string> command_;
  StrategyOf strategy_of_;
  std::unique_ptr<WorkerProcess> process_;
};

}  // namespace kvmend
