#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "recompute/decode.h"
#include "recompute/engine.h"
#include "recompute/outcome.h"
#include "recompute/strategy.h"

namespace kvmend {

/// Throws Error(usage) if the strategy cannot run on such a model: nothing needs to be loaded to know.
void check_strategy(const Strategy& strategy, const ModelConfig& model);
/// The same of a model that it asks besides, one of its selector's auxiliary_models().
void check_auxiliary(const Strategy& strategy, const std::string& name, const ModelConfig& model);

struct CellSpec {
  std::shared_ptr<const Strategy> strategy;
  double ratio = 0;
};

/// Bytes that the overlays of cells decoded together may take beside a request's work: 1 GiB, or an eighth of what a device
/// with memory of its own has free with the weights on it, where that is more. Chunk caches have up to a half.
std::int64_t overlay_budget(const DeviceMemory& memory);

struct RunnerOptions {
  DecodeOptions decode;
  int bos = -1;  ///< for sinks that need it
  std::string sample_id;
  /// Overlays of cells decoded together stay below this (one cell always runs).
  std::int64_t group_bytes = overlay_budget({});
  /// Called before a cell's prefill, which may happen again where memory ran out: whom to blame if the process dies.
  std::function<void(std::size_t cell)> on_cell;
};

/// All cells on one request: what they share (caches, placement, probes) is computed once and charged to each
/// in full. A cell that throws gets its error and the kind of it in its outcome (a plugin's: usage, where it is neither ours
/// nor the system's), the others go on. Where memory runs out a group of cells is halved, and a cell that did not fit is tried
/// once more with nothing beside it. Outcomes are in the cells' order. Throws DeviceLost: nothing can go on here.
std::vector<Outcome> run_request(Engine& engine, const Request& request, std::span<const CellSpec> cells,
                                 const RunnerOptions& options);

}  // namespace kvmend
