#pragma once
#include <functional>
#include <vector>

#include "experiment/table/table.h"
#include "experiment/table/value.h"

namespace kvmend {

/// Marks the best of the figures that agree in everything but the strategy and its parameters (tasks, ratio, model,
/// chunker, …), and those of them that a paired permutation test cannot tell from it (Holm's correction over all
/// comparisons of the block, with as many draws as so many need). They may stand in one column, in one row or apart; other figures do not compete. References
/// (full, no_context, prefix, oracle_*) are not in the running. `cells_of` gives the cells of an entry.
void mark_best(TableBlock& block, const References& references,
               const std::function<const std::vector<const TableCell*>&(std::size_t row, std::size_t col)>& cells_of);

/// full, no_context, prefix and the oracles: what strategies are compared with.
bool is_reference_strategy(const std::string& name);

}  // namespace kvmend
