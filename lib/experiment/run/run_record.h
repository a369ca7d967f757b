#pragma once
#include "experiment/run/session.h"
#include "experiment/run/sweep_options.h"
#include "experiment/store/records.h"

namespace kvmend {

/// What the store says about this run: its config, what its models and data are and what tasks note of them, its strategies
/// with their labels, where it runs, which plugins it loaded.
RunRecord make_run_record(const Config& config, const Session& session, const SweepOptions& options);

}  // namespace kvmend
