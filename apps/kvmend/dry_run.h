#pragma once
#include "experiment/supervisor.h"

namespace kvmend {

/// `run --dry-run`: the grid, each task's first prompt with its token counts, what will be computed and roughly how long it
/// takes. Returns the exit code. Where the model or data is not here: what the config alone says, then Error(data) naming all
/// that is missing, so that the exit code is the one that the run would have.
int print_dry_run(const SweepOptions& options);

}  // namespace kvmend
