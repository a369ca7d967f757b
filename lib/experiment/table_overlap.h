#pragma once
// What tables say about selections: overlap with a reference, crowding-out, evidence caught.
#include <limits>
#include <map>
#include <string>

#include "experiment/store.h"

namespace kvmend {

/// Shares in 0 to 1; NaN where the store lacks what is needed, or a cell selects nothing or everything.
struct Overlap {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  double jaccard = none;  ///< |S ∩ O| / |S ∪ O|, O: as many tokens by the reference's scores, or its own selection
  double recall = none;   ///< |S ∩ O| / |O|
  double crowding_out = none;  ///< of S, outside the fewest tokens that hold 90 % of the reference's score
  double evidence = none;      ///< of the evidence's tokens, in S
  double depth = none;         ///< where the first evidence begins among the chunks' tokens; also without selections
};

/// By result id. `reference` is the registered name of a strategy over the same prompts, model and device: with stored
/// scores it serves every ratio, without them its selection at the same ratio.
std::map<std::int64_t, Overlap> read_overlaps(Store& store, const std::string& reference);

}  // namespace kvmend
