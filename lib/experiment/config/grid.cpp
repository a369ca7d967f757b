#include "experiment/config/grid.h"

#include "core/error.h"

namespace kvmend {

std::vector<Cell> make_grid(const Config& config) {
  std::vector<Cell> cells;
  for (int task = 0; task < static_cast<int>(config.tasks.size()); ++task) {
    for (int chunker = 0; chunker < static_cast<int>(config.chunkers.size()); ++chunker) {
      for (int strategy = 0; strategy < static_cast<int>(config.strategies.size()); ++strategy) {
        if (!config.strategies[static_cast<std::size_t>(strategy)].strategy->info.uses_ratio) {
          cells.push_back({strategy, std::nullopt, task, chunker});
          continue;
        }
        for (const double ratio : config.ratios) cells.push_back({strategy, ratio, task, chunker});
      }
    }
  }
  return cells;
}

std::string describe(const Config& config, const Cell& cell) {
  std::string out = config.strategies[static_cast<std::size_t>(cell.strategy)].label;
  if (cell.ratio) out += " at " + format_number(*cell.ratio);
  out += " on " + config.tasks[static_cast<std::size_t>(cell.task)].label;
  if (config.chunkers.size() > 1) out += ", " + config.chunkers[static_cast<std::size_t>(cell.chunker)].flow();
  return out;
}

}  // namespace kvmend
