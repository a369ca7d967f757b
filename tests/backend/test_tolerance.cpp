#include "backend/tolerance.h"

#include <limits>
#include <vector>

#include "catch.h"

using namespace kvmend;

namespace {

double error_of(const std::vector<float>& got, const std::vector<float>& expected, std::int64_t cols) {
  return row_error(got, expected, cols);
}

constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("an error is relative to its own row's largest element") {
  CHECK(error_of({1, 2, 3, 4}, {1, 2, 3, 4}, 2) == 0);
  CHECK(error_of({1, 2, 100, 401}, {1, 2, 100, 400}, 2) == Approx(1.0 / 400));
  CHECK(error_of({1.5F, -2, 100, 401}, {1, -2, 100, 400}, 2) == Approx(0.25));  // the small row is the worse one
  CHECK(error_of({1.5F, -2, 100, 401}, {1, -2, 100, 400}, 4) == Approx(1.0 / 400));
  CHECK(error_of({}, {}, 3) == 0);
}

TEST_CASE("zeros, infinities and NaN have no room") {
  CHECK(error_of({0, 0}, {0, 0}, 2) == 0);
  CHECK(error_of({0, 1e-30F}, {0, 0}, 2) == kInfinity);
  CHECK(error_of({-kInfinity, 1}, {-kInfinity, 1}, 2) == 0);
  CHECK(error_of({-kInfinity, 1}, {kInfinity, 1}, 2) == kInfinity);
  CHECK(error_of({5, 1}, {kInfinity, 1}, 2) == kInfinity);
  CHECK(error_of({kNaN, 1}, {1, 1}, 2) == kInfinity);
  CHECK(error_of({kNaN, 1}, {kNaN, 1}, 2) == kInfinity);  // the reference has none: it would hide what it is beside
}

TEST_CASE("float32 has 1e-4 of the row, moved values none, bf16 steps") {
  for (const OpKind kind : {OpKind::sum, OpKind::rotation, OpKind::product, OpKind::attention})
    CHECK(tolerance(kind, DType::f32).of_row == 1e-4);
  for (const DType dtype : {DType::f32, DType::bf16}) CHECK(tolerance(OpKind::exact, dtype, dtype).of_row == 0);
  CHECK(tolerance(OpKind::product, DType::bf16).of_row == 1e-4);  // products of bf16 are exact in float32
  CHECK(tolerance(OpKind::product, DType::bf16, DType::bf16).of_row == 1.0 / 128);
  CHECK(tolerance(OpKind::attention, DType::bf16).of_row == 1.0 / 32);
}
