#include "strategies/unit_budget.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kvmend {

std::vector<int> select_per_unit(std::span<const float> scores, const Budget& budget, const Probe& probe,
                                 const Pinned& pinned, std::span<const char> last) {
  enum Tier : char { is_pinned, scored, behind };
  std::vector<char> tiers(static_cast<std::size_t>(budget.n), scored);
  for (std::size_t i = 0; i < last.size(); ++i) tiers[i] = last[i] ? behind : scored;
  for (const int i : pinned) tiers[static_cast<std::size_t>(i)] = is_pinned;

  std::vector<int> out;
  const auto take = [&](const Unit& unit, int count) {
    const auto begin = static_cast<std::size_t>(unit.begin), size = static_cast<std::size_t>(unit.size());
    std::vector<int> rows(size);
    std::iota(rows.begin(), rows.end(), unit.begin);
    std::vector<float> values(size);
    for (std::size_t i = 0; i < size && begin + i < scores.size(); ++i) {
      if (tiers[begin + i] != is_pinned) values[i] = scores[begin + i];  // the first pinned ones, where they exceed it
    }
    const std::vector<int> best = top_rows(rows, values, std::span(tiers).subspan(begin, size), count);
    out.insert(out.end(), best.begin(), best.end());
  };
  const auto share = [&](const Unit& unit) { return static_cast<int>(std::floor(budget.ratio * unit.size())); };
  std::vector<Unit> units = probe.request().units, exact;
  const int n_context = probe.request().n_context();
  if (budget.n > n_context) units.push_back({UnitKind::chunk, n_context, budget.n});
  std::size_t others = 0;
  for (const Unit& unit : units) {
    if (budget.exact_rows == ExactRows::last && probe.is_exact(unit.begin)) {
      exact.push_back(unit);
      continue;
    }
    take(unit, share(unit));
    others += static_cast<std::size_t>(unit.size());
  }
  const bool all_taken = out.size() == others;
  for (const Unit& unit : exact) {
    const auto first = tiers.begin() + unit.begin;
    const auto wanted = static_cast<int>(std::count(first, first + unit.size(), is_pinned));
    take(unit, all_taken ? share(unit) : std::min(share(unit), wanted));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace kvmend
