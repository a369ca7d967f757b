#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "experiment/config/config.h"

namespace kvmend {

struct SweepOptions {
  std::vector<std::filesystem::path> configs;
  std::vector<std::string> settings;
  std::filesystem::path store;  ///< empty: NAME.kvmend in the working directory
  int shard = 1, shards = 1;    ///< samples i with i mod shards = shard − 1, with all their cells
  int limit = -1;               ///< samples a task at most; −1: the config's
  double max_seconds = 0;       ///< ends after the sample in flight once this much time is gone; 0: never
  bool retry_failed = false;    ///< cells that failed before are computed again
  bool quiet = false;
  bool verbose = false;                      ///< a line on stderr for each sample stored
  std::vector<std::string> worker;           ///< command of a worker, without its wire
  std::string version, build, command_line;  ///< for the store's record of the run
};

struct SweepResult {
  std::filesystem::path store;
  std::int64_t computed = 0, present = 0, failed = 0,
               left = 0;              ///< (cell, sample) results; `failed` of this config in the store
  std::vector<std::string> failures;  ///< at most ten, one line each
  int stopped_by = 0;                 ///< the signal that ended it early; 0: it is complete
};

/// Computes the results that a config's grid lacks in its store, and nothing else. Owns the store; worker processes, one a
/// device, compute. A worker that dies costs its cell a recorded error, and the sample is retried without that cell.
SweepResult run_sweep(const SweepOptions& options);

}  // namespace kvmend
