#pragma once
#include <string>
#include <vector>

#include "experiment/config/cell.h"
#include "experiment/config/config.h"

namespace kvmend {

/// The product of the axes, minus what makes no sense: a strategy that has no ratio gives one cell a task and chunker.
/// In the order task, chunker, strategy, ratio, so that cells that share their samples stand together.
std::vector<Cell> make_grid(const Config& config);

/// "prophetkv at 0.2 on ruler/vt, fixed: 256": how messages name a cell. The chunker only where there are several.
std::string describe(const Config& config, const Cell& cell);

}  // namespace kvmend
