#pragma once
#include <functional>
#include <span>
#include <vector>

#include "recompute/cell_run.h"

namespace kvmend {

struct DecodeOptions {
  int max_new_tokens = 16;
  std::vector<int> stops;  ///< ids that end an answer; they are not part of it
  /// Asked after each token; true ends the answer (stop texts). May be empty.
  std::function<bool(std::span<const std::int32_t>)> finished;
};

/// Greedy decoding of a group of prefilled cells as one batch of a constant padded row count, so that a
/// cell's bits do not depend on its neighbours. Fills prediction_ids and decode_seconds (the group's time
/// divided by its tokens, times the cell's).
void decode(Engine& engine, std::span<CellRun* const> cells, const DecodeOptions& options);

}  // namespace kvmend
