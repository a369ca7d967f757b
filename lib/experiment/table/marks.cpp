#include "experiment/table/marks.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"

namespace kvmend {
namespace {

struct Place {
  std::size_t row = 0, col = 0;
};
using Places = std::vector<Place>;

/// One that competes with the best.
struct Contest {
  Place best, other;
  Comparison comparison;  ///< best − other
};

std::string points(double share) { return fmt::format("{:.0f}", std::min(100.0, std::ceil(100 * share - 1e-9))); }

/// What the contests of a block were among: a column each, a row each, or neither.
const char* scope_of(const std::vector<Places>& contests) {
  const auto one_each = [&](auto&& line_of) {
    std::set<std::size_t> lines;
    return std::all_of(contests.begin(), contests.end(), [&](const Places& places) {
      const std::size_t line = line_of(places.front());
      return lines.insert(line).second &&
             std::all_of(places.begin(), places.end(), [&](const Place& place) { return line_of(place) == line; });
    });
  };
  if (one_each([](const Place& place) { return place.col; })) return "of its column among the strategies";
  if (one_each([](const Place& place) { return place.row; })) return "of its row among the strategies";
  return "of the figures that differ from it in the strategy only";
}

std::string describe(const std::vector<Contest>& contests, const char* scope) {
  double least = 1e9, most = 0;
  for (const Contest& contest : contests) {
    if (std::isnan(contest.comparison.detectable)) continue;
    least = std::min(least, contest.comparison.detectable);
    most = std::max(most, contest.comparison.detectable);
  }
  std::string out =
      fmt::format("* best {}; ~ not distinguishable from it (paired permutation test, {})", scope,
                  contests.size() == 1 ? "1 comparison" : fmt::format("Holm over {} comparisons", contests.size()));
  if (most > 0) {
    const std::string from = points(least), to = points(most);
    out += fmt::format("; this many samples show differences of {} points or more (80 % power, uncorrected)",
                       from == to ? from : from + " to " + to);
  }
  return out;
}

/// All that a figure's results depend on but the strategy and its parameters: figures that share it can compete.
std::string conditions_of(const std::vector<const TableCell*>& cells) {
  std::set<std::string> each;
  for (const auto* cell : cells) {
    Value canonical = cell->record.canonical;
    canonical.erase("strategy");
    each.insert(canonical.canonical() + cell->evidence + cell->group);
  }
  return fmt::format("{}", fmt::join(each, "\n"));
}

}  // namespace

bool is_reference_strategy(const std::string& name) {
  return name == "full" || name == "no_context" || name == "prefix" || name.starts_with("oracle_");
}

void mark_best(TableBlock& block, const References& references,
               const std::function<const std::vector<const TableCell*>&(std::size_t row, std::size_t col)>& cells_of) {
  const bool solved = block.value == "score_solved";
  std::map<std::string, Places> competing;
  for (std::size_t row = 0; row < block.entries.size(); ++row) {
    for (std::size_t col = 0; col < block.entries[row].size(); ++col) {
      if (block.entries[row][col] && !is_reference_strategy(cells_of(row, col).front()->record.strategy))
        competing[conditions_of(cells_of(row, col))].push_back({row, col});
    }
  }
  const auto entry_at = [&](const Place& place) -> TableEntry& { return *block.entries[place.row][place.col]; };
  const auto pairs_of = [&](const Place& a, const Place& b) {
    return pair_by_task(cells_of(a.row, a.col), cells_of(b.row, b.col), solved ? &references : nullptr);
  };
  std::vector<Contest> contests;
  std::vector<Places> held;
  for (const auto& [conditions, places] : competing) {
    if (places.size() < 2) continue;
    const Place best = *std::max_element(places.begin(), places.end(), [&](const Place& a, const Place& b) {
      return entry_at(a).estimate.value < entry_at(b).estimate.value;
    });
    bool compared = false;
    for (const Place& place : places) {
      if (place.row == best.row && place.col == best.col) continue;
      const Comparison comparison = compare_paired(pairs_of(best, place));
      if (comparison.difference.n == 0) continue;  // no sample in common yet
      compared = true;
      contests.push_back({best, place, comparison});
    }
    if (!compared) continue;
    entry_at(best).mark = Mark::best;
    held.push_back(places);
  }
  if (contests.empty()) return;
  std::vector<Comparison*> family;
  for (Contest& contest : contests) {
    if (lacks_draws(contest.comparison, contests.size()))
      draw_more(contest.comparison, pairs_of(contest.best, contest.other), contests.size());
    family.push_back(&contest.comparison);
  }
  holm_correct(family);
  for (const Contest& contest : contests)
    entry_at(contest.other).mark = contest.comparison.distinguishable() ? Mark::apart : Mark::close;
  block.note = describe(contests, scope_of(held));
}

}  // namespace kvmend
