#include "recompute/exposed_load.h"

#include <vector>

#include "catch.h"

using kvmend::exposed_load;

TEST_CASE("what work waits for layers that arrive beside it") {
  const auto same = [](double seconds, int layers) {
    return std::vector<double>(static_cast<std::size_t>(layers), seconds);
  };
  CHECK(exposed_load({}, 5, 2) == 0);
  CHECK(exposed_load(same(0, 8), 5, 2) == 0);
  // Faster than the work: only the first is waited for.
  CHECK(exposed_load(same(1, 10), 20, 2) == Approx(1));
  // Slower: the work on all but the last hides in the arrivals.
  CHECK(exposed_load(same(3, 10), 10, 2) == Approx(10 * 3 - 9 * 1));
  // No work hides nothing.
  CHECK(exposed_load(same(3, 10), 0, 2) == Approx(30));
  // A slow layer behind fast ones: two of the fast ones may be ahead of it, no more.
  CHECK(exposed_load(std::vector<double>{1, 1, 1, 6}, 8, 2) == Approx(1 + 2));
  CHECK(exposed_load(std::vector<double>{1, 1, 1, 6}, 8, 0) == Approx(1 + 4));
}
