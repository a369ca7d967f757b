#pragma once
// Context rows that are exact in the reused cache before anything is recomputed. A budget spent on them buys nothing, so every
// selector ranks them last, and how selections compare says nothing about them.
#include <optional>
#include <span>
#include <vector>

#include "experiment/selection/budget_use.h"
#include "recompute/strategy.h"

namespace kvmend {

/// Such rows as ranges of context tokens, by the indices of the given order: the leading unit, and the first chunk where the
/// sink made it exact. `order`: an outcome's, where its plan reordered the chunks; the first chunk is then the new order's.
/// Throws Error(usage) where that names other chunks than there are.
TokenRanges exact_rows(std::span<const Unit> units, const CommonOptions& options,
                       const std::optional<std::vector<int>>& order = std::nullopt);

/// The tokens that lie in no range, in the same order.
std::vector<int> outside(const std::vector<int>& tokens, const TokenRanges& ranges);

}  // namespace kvmend
