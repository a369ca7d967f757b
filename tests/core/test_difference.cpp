// What the other tests measure with.
#include <limits>
#include <vector>

#include "support/difference.h"

using kvmend::test::largest_difference;

TEST_CASE("the largest difference is found, and a NaN anywhere fails every comparison") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  using Doubles = std::vector<double>;
  CHECK(largest_difference(Doubles{1, -2, 3}, std::vector<float>{1, 2, 3.5F}) == 4);
  CHECK(largest_difference(Doubles{1, 2}, {1, 2.5}) == 0.5);
  CHECK(largest_difference(Doubles{infinity}, Doubles{infinity}) == 0);
  CHECK(largest_difference(Doubles{infinity}, Doubles{-infinity}) == infinity);
  for (const Doubles& found : {Doubles{nan, 1, 9}, Doubles{1, nan, 9}, Doubles{1, 9, nan}, Doubles{nan, nan, nan}}) {
    const double difference = largest_difference(found, Doubles{1, 1, 1});
    CHECK_FALSE(difference < 1e30);
    CHECK_FALSE(difference > 0);
  }
}
