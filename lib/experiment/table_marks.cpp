#include "experiment/table_marks.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace kvmend {
namespace {

struct Contest {
  TableEntry* entry;
  Comparison comparison;
};

std::string points(double share) { return fmt::format("{:.0f}", std::min(100.0, std::ceil(100 * share - 1e-9))); }

std::string describe(const std::vector<Contest>& contests) {
  double least = 1e9, most = 0;
  for (const Contest& contest : contests) {
    if (std::isnan(contest.comparison.detectable)) continue;
    least = std::min(least, contest.comparison.detectable);
    most = std::max(most, contest.comparison.detectable);
  }
  std::string out = fmt::format(
      "* best of its column among the strategies; ~ not distinguishable from it (paired permutation test, {})",
      contests.size() == 1 ? "1 comparison" : fmt::format("Holm over {} comparisons", contests.size()));
  if (most > 0) {
    const std::string from = points(least), to = points(most);
    out += fmt::format("; this many samples show differences of {} points or more (80 % power, uncorrected)",
                       from == to ? from : from + " to " + to);
  }
  return out;
}

}  // namespace

bool is_reference_strategy(const std::string& name) {
  return name == "full" || name == "no_context" || name == "prefix" || name.starts_with("oracle_");
}

void mark_best(TableBlock& block, const References& references,
               const std::function<const std::vector<const TableCell*>&(std::size_t row, std::size_t col)>& cells_of) {
  const bool solved = block.value == "score_solved";
  std::vector<Contest> contests;
  const std::size_t cols = block.entries.empty() ? 0 : block.entries.front().size();
  for (std::size_t col = 0; col < cols; ++col) {
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < block.entries.size(); ++row) {
      if (block.entries[row][col] && !is_reference_strategy(cells_of(row, col).front()->record.strategy))
        rows.push_back(row);
    }
    if (rows.size() < 2) continue;
    const auto best = *std::max_element(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
      return block.entries[a][col]->estimate.value < block.entries[b][col]->estimate.value;
    });
    bool compared = false;
    for (const std::size_t row : rows) {
      if (row == best) continue;
      const auto pairs = pair_by_task(cells_of(best, col), cells_of(row, col), solved ? &references : nullptr);
      const Comparison comparison = compare_paired(pairs);
      if (comparison.difference.n == 0) continue;  // other tasks: nothing to pair
      compared = true;
      contests.push_back({&*block.entries[row][col], comparison});
    }
    if (compared) block.entries[best][col]->mark = Mark::best;
  }
  if (contests.empty()) return;
  std::vector<Comparison*> family;
  for (Contest& contest : contests) family.push_back(&contest.comparison);
  holm_correct(family);
  for (Contest& contest : contests)
    contest.entry->mark = contest.comparison.distinguishable() ? Mark::apart : Mark::close;
  block.note = describe(contests);
}

}  // namespace kvmend
