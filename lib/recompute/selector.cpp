#include "recompute/selector.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kvmend {

Budget make_budget(double ratio, int n, ExactRows exact_rows) {
  return {ratio, n, static_cast<int>(std::floor(ratio * n)), exact_rows};
}

namespace {

struct Candidate {
  int tier = 0;  // smaller is sooner
  float score = 0;
  int index = 0;
};

std::vector<int> best(std::vector<Candidate> order, int count) {
  const auto k = static_cast<std::ptrdiff_t>(
      std::clamp<std::size_t>(static_cast<std::size_t>(std::max(0, count)), 0, order.size()));
  for (Candidate& candidate : order) {
    if (std::isnan(candidate.score)) candidate.score = -std::numeric_limits<float>::infinity();
  }
  std::partial_sort(order.begin(), order.begin() + k, order.end(), [](const Candidate& a, const Candidate& b) {
    if (a.tier != b.tier) return a.tier < b.tier;
    if (a.score != b.score) return a.score > b.score;
    return a.index < b.index;
  });
  std::vector<int> selected;
  for (std::ptrdiff_t i = 0; i < k; ++i) selected.push_back(order[static_cast<std::size_t>(i)].index);
  std::sort(selected.begin(), selected.end());
  return selected;
}

}  // namespace

std::vector<int> select_top(std::span<const float> scores, const Budget& budget, const Probe& probe,
                            const Pinned& pinned, std::span<const char> last) {
  enum Tier { is_pinned, scored, exact_anyway, without_score };
  std::vector<Candidate> order;
  for (int i = 0; i < budget.n; ++i) {
    const bool has_score = static_cast<std::size_t>(i) < scores.size();
    const bool behind = (budget.exact_rows == ExactRows::last && probe.is_exact(i)) ||
                        (static_cast<std::size_t>(i) < last.size() && last[static_cast<std::size_t>(i)]);
    order.push_back({behind      ? exact_anyway
                     : has_score ? scored
                                 : without_score,
                     has_score ? scores[static_cast<std::size_t>(i)] : 0.0F, i});
  }
  for (const int i : pinned) {
    if (i >= 0 && i < budget.n) order[static_cast<std::size_t>(i)] = {is_pinned, 0.0F, i};
  }
  return best(std::move(order), budget.k);
}

std::vector<int> top_rows(std::span<const int> rows, std::span<const float> scores, std::span<const char> last,
                          int count) {
  std::vector<Candidate> order;
  for (std::size_t i = 0; i < rows.size(); ++i) order.push_back({last[i], scores[i], rows[i]});
  return best(std::move(order), count);
}

Plan ScoreSelector::plan(Probe& probe, const Budget& budget) const {
  Plan plan;
  plan.scores = score(probe);
  Budget mine = budget;
  mine.k = count(budget);
  plan.selected = select_top(plan.scores, mine, probe, pinned(probe), ranks_last(probe));
  return plan;
}

}  // namespace kvmend
