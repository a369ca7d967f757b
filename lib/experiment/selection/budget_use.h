#pragma once
// What a strategy spent its budget on: which chunks, which part of the context, evidence, rows that were exact anyway.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "recompute/request.h"

namespace kvmend {

/// One selection, in tokens.
struct BudgetUse {
  std::string name, ratio;  ///< what the table calls it
  int selected = 0;
  std::vector<int> in_unit;       ///< [units]
  std::array<int, 3> in_third{};  ///< the first, middle and last third of the context
  int evidence = 0;               ///< of evidence_tokens()
  std::int64_t exact = 0;         ///< Outcome::exact_selected
};

using TokenRanges = std::vector<std::pair<int, int>>;

/// `selected`: sorted, in the order of `units`, which cover the context.
BudgetUse budget_use(const std::vector<int>& selected, std::span<const Unit> units, const TokenRanges& evidence);

/// Tokens of the context that lie in a range.
int evidence_tokens(std::span<const Unit> units, const TokenRanges& evidence);

/// A line a selection with a bar a unit; bars that do not fit `width` columns go on below, a multiple of ten a line.
/// Selections of nothing or of everything are left out; empty where no other is left. `evidence`: evidence_tokens(), 0:
/// none is known.
std::string budget_text(const std::vector<BudgetUse>& uses, std::span<const Unit> units, int evidence,
                        std::size_t width);

}  // namespace kvmend
