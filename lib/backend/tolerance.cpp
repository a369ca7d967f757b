#include "backend/tolerance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace kvmend {

namespace {

/// One step of bf16 beside the value it is at: eight significant bits, so up to 2⁻⁷ of it.
constexpr double kStep = 1.0 / 128;

constexpr Tolerance kExact{0, "each element is one value, rounded once at most"};
constexpr Tolerance kFloat{1e-4, "float32 sums in another order, with another exp"};
constexpr Tolerance kRoundedOnce{kStep, "float32 results that differ in their last bits round to neighbours in bf16"};
// Both sides round operands alike, but a logit that differs in its last bit can put a probability on the other side of
// a rounding boundary, and a row in which one key has nearly everything moves with it. The other steps are room for
// averages that cancel: the row's largest element may be a quarter of what was averaged.
constexpr Tolerance kProbabilities{4 * kStep, "a probability rounds to its neighbour in bf16, and values cancel"};

}  // namespace

Tolerance tolerance(OpKind kind, DType compute, DType out) {
  switch (kind) {
    case OpKind::exact: return kExact;
    case OpKind::attention: return compute == DType::bf16 ? kProbabilities : kFloat;
    // Products of two bf16 are exact in float32: only the sums' order and the result's rounding are left.
    case OpKind::product:
    case OpKind::rotation:
    case OpKind::sum: break;
  }
  return out == DType::bf16 ? kRoundedOnce : kFloat;
}

double row_error(std::span<const float> got, std::span<const float> expected, std::int64_t cols) {
  require(cols > 0 && got.size() == expected.size() && got.size() % static_cast<std::size_t>(cols) == 0,
          "row_error: {} elements beside {} in rows of {}", got.size(), expected.size(), cols);
  double worst = 0;
  const auto width = static_cast<std::size_t>(cols);
  for (std::size_t first = 0; first < got.size(); first += width) {
    double difference = 0, largest = 0;
    for (std::size_t i = first; i < first + width; ++i) {
      if (std::isfinite(expected[i])) largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
      if (got[i] == expected[i]) continue;  // infinities too
      const double d = std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i]));
      difference = std::isfinite(d) ? std::max(difference, d) : std::numeric_limits<double>::infinity();
    }
    if (difference == 0) continue;
    worst = std::max(worst, largest > 0 ? difference / largest : std::numeric_limits<double>::infinity());
  }
  return worst;
}

}  // namespace kvmend
