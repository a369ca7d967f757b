#include "experiment/selection/exact_rows.h"

#include <algorithm>
#include <iterator>

#include "recompute/arrange.h"
#include "recompute/reused_context.h"

namespace kvmend {

TokenRanges exact_rows(std::span<const Unit> units, const CommonOptions& options,
                       const std::optional<std::vector<int>>& order) {
  const std::vector<int> arranged = order ? units_in_order(units, *order) : std::vector<int>();
  TokenRanges out;
  for (std::size_t u = 0; u < exact_units(units, reuse_key(options)); ++u) {
    const Unit& unit = units[order ? static_cast<std::size_t>(arranged[u]) : u];
    out.emplace_back(unit.begin, unit.end);
  }
  return out;
}

std::vector<int> outside(const std::vector<int>& tokens, const TokenRanges& ranges) {
  std::vector<int> out;
  std::copy_if(tokens.begin(), tokens.end(), std::back_inserter(out), [&](int token) {
    return std::none_of(ranges.begin(), ranges.end(),
                        [token](const auto& range) { return range.first <= token && token < range.second; });
  });
  return out;
}

}  // namespace kvmend
