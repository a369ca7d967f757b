#pragma once
#include "experiment/run/supervisor.h"

namespace kvmend {

/// `run --dry-run`: the grid, each task's first prompt with its token counts, what this shard will compute, roughly how long
/// that takes on a CPU (from no answers to answers of full length), and the memory of the weights and of the longest first
/// prompt's request. Returns the exit code. Where the model or data is not here: what the config alone says, then Error(data)
/// naming all that is missing, so that the exit code is the one that the run would have.
int print_dry_run(const SweepOptions& options);

}  // namespace kvmend
