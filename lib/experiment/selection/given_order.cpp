#include "experiment/selection/given_order.h"

#include <algorithm>

#include "core/error.h"
#include "recompute/arrange.h"

namespace kvmend {
namespace {

std::vector<int> indices_as_given(const std::vector<int>& chosen, const std::vector<int>& from) {
  std::vector<int> out;
  for (const int i : chosen) out.push_back(from.at(static_cast<std::size_t>(i)));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

AsGiven as_given(const Outcome& outcome, std::span<const Unit> units) {
  if (!outcome.order) return {outcome.selected, outcome.kept, outcome.scores};
  const std::vector<int> from = original_indices(units, units_in_order(units, *outcome.order));
  AsGiven out;
  out.selected = outcome.selected_original ? *outcome.selected_original : indices_as_given(outcome.selected, from);
  if (outcome.kept) out.kept = indices_as_given(*outcome.kept, from);
  out.scores = scores_as_given(outcome.scores, units, *outcome.order);
  return out;
}

std::vector<float> scores_as_given(std::vector<float> scores, std::span<const Unit> units, std::span<const int> order) {
  if (scores.empty()) return scores;
  const std::vector<int> from = original_indices(units, units_in_order(units, order));
  require(from.size() == scores.size(), "{} scores for a context of {} tokens", scores.size(), from.size());
  std::vector<float> out(scores.size());
  for (std::size_t i = 0; i < from.size(); ++i) out[static_cast<std::size_t>(from[i])] = scores[i];
  return out;
}

}  // namespace kvmend
