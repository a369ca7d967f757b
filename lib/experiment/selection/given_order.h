#pragma once
// What an outcome chose, by the tokens of the request as it was given.
#include <optional>
#include <span>
#include <vector>

#include "recompute/outcome.h"
#include "recompute/request.h"

namespace kvmend {

/// Where a plan reorders chunks, an outcome's indices and scores are of the new order; texts, units and evidence are of
/// the given one. Indices are sorted.
struct AsGiven {
  std::vector<int> selected;
  std::optional<std::vector<int>> kept;  ///< nullopt: all
  std::vector<float> scores;             ///< [N] or empty
};

/// `units`: the request's, in the given order. Throws Error(usage) where the outcome's order is none of their chunks.
AsGiven as_given(const Outcome& outcome, std::span<const Unit> units);

/// Scores of a context whose chunks stand in `order`, by the indices of the given order.
std::vector<float> scores_as_given(std::vector<float> scores, std::span<const Unit> units, std::span<const int> order);

}  // namespace kvmend
