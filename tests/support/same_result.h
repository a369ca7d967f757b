#pragma once
// Two outcomes of one cell.
#include "catch.h"
#include "recompute/outcome.h"

namespace kvmend {

/// The choice, the answer and what they took, bit for bit; scores, which may be NaN, and seconds are left to the caller.
inline void check_same_result(const Outcome& a, const Outcome& b) {
  CHECK(a.prediction_ids == b.prediction_ids);
  CHECK(a.first_token == b.first_token);
  CHECK(a.selected == b.selected);
  CHECK(a.selected_per_layer == b.selected_per_layer);
  CHECK(a.kept == b.kept);
  CHECK(a.order == b.order);
  CHECK(a.decode_selected == b.decode_selected);
  CHECK(a.flops == b.flops);
}

}  // namespace kvmend
