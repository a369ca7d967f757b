#pragma once
// Budgets that leave a selector nothing to choose: every row that could change is recomputed, and the result is full prefill's
// whatever the strategy.
#include <cstdint>
#include <map>
#include <vector>

#include "experiment/store/store.h"
#include "recompute/strategy.h"

namespace kvmend {

/// Of the results of one store. Throws Error(data) for a store that is damaged.
class Coverage {
 public:
  explicit Coverage(Store& store) : units_(store.units()) {}

  /// Whether a result that did not fail equals full prefill by construction, though its cell's ratio is below 1: all context
  /// rows that are not exact already were recomputed, none was dropped or moved, and the options are those under which
  /// recomputing everything is full prefill (exact mask, overwriting, no temper, a fresh query).
  bool equals_full(const ResultRow& row, const CellRecord& cell);

 private:
  std::map<std::int64_t, std::vector<Unit>> units_;  ///< by sample
  std::map<std::int64_t, CommonOptions> options_;    ///< by cell
};

}  // namespace kvmend
