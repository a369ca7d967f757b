// The largest elements of rows: the devices under test, and the reference that defines them.
#include <limits>

#include "core/error.h"
#include "device.h"

using namespace kvmend;
using namespace kvmend::test;

TEST_CASE("top_k takes the largest, of equal ones the lower, in ascending order") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x{0, -0.0F, 3,    -1, 0,     3,     // zeros of both signs are equal
                             2, 2,     2,    2,  2,     2,     //
                             1, -inf,  -inf, 5,  -7e30, -inf,  //
                             6, 5,     4,    3,  2,     inf};
  const std::vector<std::vector<std::int32_t>> expected{
      {2, 0, 3, 5}, {2, 5, 0, 1, 0, 3, 0, 5}, {0, 2, 5, 0, 1, 2, 0, 3, 4, 0, 1, 5}};  // k = 1, 2, 3
  for (const TestedDevice& tested : devices_under_test())
    for (const bool reference : {false, true}) {
      Device d = reference ? Device("reference") : tested.make(DType::f32);
      for (std::int64_t k = 1; k <= 3; ++k) {
        CAPTURE(tested.label, reference, k);
        const Tensor out = d.backend->allocate(DType::i32, 4, k);
        d.queue->top_k(out, d.strided(4, 6, x));
        CHECK(d.integers(out) == expected[static_cast<std::size_t>(k - 1)]);
        CHECK(d.guards_intact());
      }
    }
}

TEST_CASE("top_k of long rows agrees with the reference") {
  for (const std::int64_t cols : {1, 257, 3000})
    for (const std::int64_t k : {std::int64_t{1}, cols / 2 + 1, cols}) {
      std::vector<float> x = random_values(3 * cols, 5);
      for (float& v : x) v = std::round(v * 8) / 8;  // many are equal
      const auto run = [&](Device d) {
        const Tensor out = d.backend->allocate(DType::i32, 3, k);
        d.queue->top_k(out, d.strided(3, cols, x));
        return d.integers(out);
      };
      const std::vector<std::int32_t> expected = run(Device("reference"));
      for (const TestedDevice& tested : devices_under_test()) {
        CAPTURE(tested.label, cols, k);
        CHECK(run(tested.make(DType::f32)) == expected);
      }
    }
}

TEST_CASE("top_k refuses more than a row has") {
  Device d("reference");
  const Tensor x = d.tensor(1, 3, {1, 2, 3});
  CHECK_THROWS_AS(d.queue->top_k(d.backend->allocate(DType::i32, 1, 4), x), Error);
  CHECK_THROWS_AS(d.queue->top_k(d.backend->allocate(DType::i32, 1, 0), x), Error);
}
