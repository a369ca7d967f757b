#pragma once
// What tables say about selections: overlap with a reference, crowding-out, evidence caught.
#include <limits>
#include <map>
#include <string>

#include "experiment/store/store.h"

namespace kvmend {

/// Shares in 0 to 1; NaN where the store lacks what is needed, or a cell selects nothing or everything. S is the cell's
/// selection; O is the reference's own at the same ratio where it takes as many tokens or has no scores, else the best as many
/// by its scores. Rows that are exact already where the reference's caches were made (selection/exact_rows.h) count in neither.
struct Overlap {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  double jaccard = none;       ///< |S ∩ O| / |S ∪ O|
  double recall = none;        ///< |S ∩ O| / |O|
  double crowding_out = none;  ///< of S, outside the fewest tokens that hold 90 % of the reference's score
  double evidence = none;      ///< of the evidence's tokens, in S
  double depth = none;         ///< where the first evidence begins among the chunks' tokens; also without selections
};

/// By result id. `reference` is the registered name of a strategy over the same prompts, model and device; of several variants
/// the store's first counts. With stored scores it serves every ratio, without them those that it ran at. Throws Error(data)
/// for a store that is damaged.
std::map<std::int64_t, Overlap> read_overlaps(Store& store, const std::string& reference);

}  // namespace kvmend
