#pragma once
// How far a backend's results may be from the reference's: the tests and `kvmend selftest` ask here.
#include <cstdint>
#include <span>
#include <string_view>

#include "backend/tensor.h"

namespace kvmend {

/// Operations by how their results may differ.
enum class OpKind : std::uint8_t {
  exact,      ///< moves rows, rounds once, compares: embed, copy, gather, scatter, add, arg-max, top-k, dequantisation
  sum,        ///< sums in another order, or another exp: norms, activations, deviations, attention mass, joins
  rotation,   ///< rope
  product,    ///< matmul
  attention,  ///< attention and decode_attention
};

struct Tolerance {
  double of_row;            ///< of the largest |element| of the reference's row
  std::string_view reason;  ///< why not less
};

/// With operands rounded to `compute` and results stored as `out`.
Tolerance tolerance(OpKind kind, DType compute, DType out = DType::f32);

/// The largest |got − expected| of a row over that row's largest |expected|, of all rows of `cols` elements. Equal
/// infinities do not differ; where a row is expected to be 0, or not to be NaN, anything else is infinitely far.
double row_error(std::span<const float> got, std::span<const float> expected, std::int64_t cols);

}  // namespace kvmend
