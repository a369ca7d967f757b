#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "catch.h"
#include "core/error.h"
#include "experiment/store/blob.h"

using namespace kvmend;

TEST_CASE("texts and index sets come back, and a sweep's selection is small") {
  for (const std::string& text : {std::string(), std::string("x"), std::string(100000, 'a'), std::string("a\0b", 3)}) {
    CHECK(decompress(compress(text), "x") == text);
  }
  for (const int n : {0, 1, 7, 8, 9, 4096}) {
    std::vector<int> odd, all(static_cast<std::size_t>(n));
    for (int i = 1; i < n; i += 2) odd.push_back(i);
    std::iota(all.begin(), all.end(), 0);
    CHECK(unpack_indices(pack_indices({}, n), n).empty());
    CHECK(unpack_indices(pack_indices(odd, n), n) == odd);
    CHECK(unpack_indices(pack_indices(all, n), n) == all);
  }
  CHECK(pack_indices({5}, 131072).size() < 100);
  CHECK_THROWS_AS(pack_indices({8}, 8), Error);
  CHECK_THROWS_AS(pack_indices({-1}, 8), Error);
}

TEST_CASE("tokens come back with and without spans") {
  TokenTable tokens{{1, 70000, -1, 0}, {0, 3, 3, 10}, {3, 3, 9, 11}};
  const TokenTable back = unpack_tokens(pack_tokens(tokens));
  CHECK(back.ids == tokens.ids);
  CHECK(back.begin == tokens.begin);
  CHECK(back.end == tokens.end);
  const TokenTable bare = unpack_tokens(pack_tokens({{5, 6}, {}, {}}));
  CHECK(bare.ids == std::vector<std::int32_t>{5, 6});
  CHECK(bare.begin.empty());
}

TEST_CASE("halves agree with IEEE 754 on every value and round to nearest even") {
  for (std::uint32_t h = 0; h < 0x10000; ++h) {
    const float f = from_half(static_cast<std::uint16_t>(h));
    if (std::isnan(f)) {
      CHECK((to_half(f) & 0x7E00) == 0x7E00);
      continue;
    }
    // The value by the format's definition.
    const int exponent = (h >> 10) & 31;
    const double fraction = h & 1023;
    double expected = exponent == 31  ? std::numeric_limits<double>::infinity()
                      : exponent == 0 ? std::ldexp(fraction, -24)
                                      : std::ldexp(1024 + fraction, exponent - 25);
    if (h & 0x8000) expected = -expected;
    if (f != expected || to_half(f) != h) {
      CAPTURE(h);
      CHECK(f == expected);
      CHECK(to_half(f) == h);
    }
    // Halfway to the next magnitude goes to the even neighbour.
    const float next = from_half(static_cast<std::uint16_t>(h + 1));
    if (exponent < 30 && std::isfinite(next)) {
      const float middle = f + (next - f) / 2;
      const std::uint16_t even = static_cast<std::uint16_t>(h % 2 ? h + 1 : h);
      if (to_half(middle) != even) {
        CAPTURE(h);
        CHECK(to_half(middle) == even);
      }
    }
  }
  CHECK(to_half(65519.99F) == 0x7BFF);
  CHECK(to_half(65520.0F) == 0x7C00);
  CHECK(to_half(1e-9F) == 0);
}

TEST_CASE("scores keep their ranking whatever their scale") {
  for (const float scale : {1.0F, 1e-20F, 1e30F}) {
    std::vector<float> scores;
    for (int i = 0; i < 1000; ++i) scores.push_back(scale * (1.0F + static_cast<float>(i) * 0.01F));
    const auto back = unpack_scores(pack_scores(scores));
    REQUIRE(back.size() == scores.size());
    for (std::size_t i = 0; i < scores.size(); ++i) CHECK(back[i] == Approx(scores[i]).epsilon(0.0005));
  }
  CHECK(unpack_scores(pack_scores({})).empty());
  CHECK(unpack_scores(pack_scores({0, -2, std::numeric_limits<float>::infinity()}))[2] ==
        std::numeric_limits<float>::infinity());
  CHECK(std::isnan(unpack_scores(pack_scores({std::nanf("")}))[0]));
}

TEST_CASE("damaged blobs are errors") {
  const std::string good = compress(std::string(1000, 'a'));
  CHECK_THROWS_AS(decompress("", "x"), Error);
  CHECK_THROWS_AS(decompress(good.substr(0, good.size() - 3), "x"), Error);
  CHECK_THROWS_WITH(decompress(std::string("\xff\xff\xff\xff\xff\xff\x7f") + "abc", "x"),
                    Catch::Contains("impossible size"));
  CHECK_THROWS_AS(decompress(std::string(20, '\xff'), "x"), Error);
  CHECK_THROWS_AS(unpack_indices(pack_indices({1}, 8), 9), Error);
  CHECK_THROWS_AS(unpack_tokens(compress("\x05")), Error);
  CHECK_THROWS_AS(unpack_scores(compress("abc")), Error);
}
