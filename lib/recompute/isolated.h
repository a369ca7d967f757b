#pragma once
#include "recompute/runner.h"

namespace kvmend {

/// One cell alone: a context, a placement and probes of its own, nothing shared with anybody; chunk caches as the store has
/// them. What `bench select` times, `select` and `generate` print. Throws what run_request throws, and the cell's own error
/// with its kind.
Outcome run_isolated(Engine& engine, const Request& request, const CellSpec& cell, const RunnerOptions& options);

}  // namespace kvmend
