// Radix select against sorting: ties, infinities, equal rows, every k.
#include "catch.h"
#include "mutants/mutant.h"
#include "options.h"
#include "top_k.cuh"

#include <algorithm>
#include <numeric>

using namespace mutants;

TEST_CASE("top-k takes the largest, of equal ones the first, in ascending order") {
  const simt::Options before = simt::options();
  for (const simt::Schedule schedule : {simt::Schedule::forward, simt::Schedule::reverse, simt::Schedule::random}) {
    simt::options().schedule = schedule;
    for (const int n : {1, 31, 300, 1500})
      for (const int k : {1, n / 3 + 1, n}) {
        const Stream stream;
        constexpr int rows = 3;
        std::vector<float> x = random_values(static_cast<std::size_t>(rows * n), static_cast<unsigned>(n));
        for (float& v : x) v = std::round(v * 20) / 4;  // many ties, both signs, zeros of both signs
        std::fill(x.begin() + n, x.begin() + 2 * n, 1.5F);
        x[0] = INFINITY;
        if (n > 3) x[2] = -INFINITY;
        std::vector<int> expected;
        for (int r = 0; r < rows; ++r) {
          std::vector<int> order(static_cast<std::size_t>(n));
          std::iota(order.begin(), order.end(), 0);
          const float* row = x.data() + r * n;
          std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return row[a] > row[b]; });
          std::sort(order.begin(), order.begin() + k);
          expected.insert(expected.end(), order.begin(), order.begin() + k);
        }
        const Array<float> in(x, stream);
        const Array<int> out(static_cast<std::size_t>(rows * k), stream);
        REQUIRE(KVMEND_LAUNCH(kvmend::gpu::top_k<256>, rows, 256, 0, stream, out.get(), in.get(), n, n, k) ==
                cudaSuccess);
        INFO(n << " elements, " << k << " wanted");
        CHECK(out.download() == expected);
      }
  }
  simt::options() = before;
}
