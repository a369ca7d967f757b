#pragma once
#include "experiment/supervisor.h"

namespace kvmend {

/// `run --dry-run`: the grid, each task's first prompt with its token counts, what this shard will compute, roughly how long
/// that takes on a CPU, and the memory of the weights and of the longest first prompt's request. Returns the exit code;
/// throws as Session does.
int print_dry_run(const SweepOptions& options);

}  // namespace kvmend
