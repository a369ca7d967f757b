#pragma once
#include <vector>

#include "recompute/selector.h"

namespace kvmend {

/// ⌊r·len⌋ of each unit: pinned tokens, then by score, those flagged `last` [N] behind the others. Units whose rows are exact
/// anyway get pinned tokens only, unless they compete or all else is taken, as at r = 1. With last_token freshness the query's
/// tokens, which have no score, are a unit, too. `pinned` are candidates. Returns sorted indices.
std::vector<int> select_per_unit(std::span<const float> scores, const Budget& budget, const Probe& probe,
                                 const Pinned& pinned, std::span<const char> last);

}  // namespace kvmend
