#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiment/run/sweep_options.h"

namespace kvmend {

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
