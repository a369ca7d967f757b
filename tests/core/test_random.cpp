#include <algorithm>
#include <cmath>
#include <set>

#include "catch.h"
#include "core/random.h"

using namespace kvmend;

TEST_CASE("random numbers are the same everywhere") {
  // Frozen: samples, and with them stored results, depend on it.
  Random random(42, 1, 2);
  CHECK(random.next() == 0x81d63fc52500ae88U);
  CHECK(random.below(1000) == 768);
  CHECK(random.between(-5, 5) == -4);
  CHECK(random.distinct(10, 4) == std::vector<int>{5, 3, 6, 7});
}

TEST_CASE("xoshiro256** follows its definition") {
  // A second, plain writing of the published recurrences.
  const auto mix = [](std::uint64_t& s) {
    std::uint64_t z = (s += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  };
  std::uint64_t seed = 7;
  std::uint64_t a = mix(seed) ^ 3;
  std::uint64_t b = mix(a) ^ 5;
  std::uint64_t s[4];
  for (auto& word : s) word = mix(b);
  Random random(7, 3, 5);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t x = s[1] * 5;
    CHECK(random.next() == ((x << 7) | (x >> 57)) * 9);
    const std::uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
  }
}

TEST_CASE("streams and indices are independent; draws are uniform and in range") {
  std::set<std::uint64_t> first;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (std::uint64_t stream = 0; stream < 10; ++stream) {
      for (std::uint64_t index = 0; index < 10; ++index) first.insert(Random(seed, stream, index).next());
    }
  }
  CHECK(first.size() == 1000);
  Random random(1);
  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70000; ++i) ++counts[static_cast<std::size_t>(random.between(3, 9) - 3)];
  for (const int n : counts) CHECK(std::abs(n - 10000) < 500);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const double x = random.real();
    CHECK((x >= 0 && x < 1));
    sum += x;
  }
  CHECK(std::abs(sum / 10000 - 0.5) < 0.02);
  CHECK(random.below(1) == 0);
  CHECK(random.between(-3, -3) == -3);
}

TEST_CASE("shuffles and draws without replacement keep every value once") {
  Random random(9);
  std::vector<int> list{1, 2, 3, 4, 5, 6};
  random.shuffle(list);
  CHECK(list != std::vector<int>{1, 2, 3, 4, 5, 6});
  std::sort(list.begin(), list.end());
  CHECK(list == std::vector<int>{1, 2, 3, 4, 5, 6});
  for (int round = 0; round < 100; ++round) {
    const auto drawn = random.distinct(20, 5);
    CHECK(std::set<int>(drawn.begin(), drawn.end()).size() == 5);
    for (const int i : drawn) CHECK((i >= 0 && i < 20));
  }
  CHECK(random.distinct(3, 0).empty());
  CHECK_THROWS(random.distinct(3, 4));
  CHECK_THROWS(random.below(0));
}
