#pragma once
#include "experiment/supervisor.h"

namespace kvmend {

/// `run --dry-run`: the grid, each task's first prompt with its token counts, what will be computed and roughly how long it
/// takes. Returns the exit code.
int print_dry_run(const SweepOptions& options);

}  // namespace kvmend
