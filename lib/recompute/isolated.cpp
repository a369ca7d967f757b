#include "recompute/isolated.h"

#include "core/error.h"

namespace kvmend {

Outcome run_isolated(Engine& engine, const Request& request, const CellSpec& cell, const RunnerOptions& options) {
  Outcome outcome = run_request(engine, request, std::span(&cell, 1), options).front();
  if (!outcome.error.empty()) throw Error(outcome.error_kind, outcome.error);
  return outcome;
}

}  // namespace kvmend
