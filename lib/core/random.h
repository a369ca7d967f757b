#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/split_mix.h"

namespace kvmend {

/// The same numbers on every platform and compiler, unlike the standard library's distributions.
/// xoshiro256** (Blackman and Vigna, ACM TOMS 2021), its state filled by SplitMix64 from three words, so that
/// (seed, stream, index) name independent sequences: sample i never depends on samples before it.
class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0, std::uint64_t index = 0) {
    SplitMix words(split_mix(split_mix(seed) ^ stream) ^ index);
    for (auto& word : state_) word = words.next();
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0, n) without bias; n ≥ 1.
  std::uint64_t below(std::uint64_t n) {
    require(n > 0, "Random::below(0)");
    const std::uint64_t reject = (0 - n) % n;  // 2^64 mod n: the values that would favour small results
    for (;;) {
      const std::uint64_t draw = next();
      if (draw >= reject) return draw % n;
    }
  }
  /// Uniform in [low, high], both ends included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  /// Uniform in [0, 1), 53 bits.
  double real() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  template <class Container>
  const auto& pick(const Container& from) {
    return from[static_cast<std::size_t>(below(from.size()))];
  }
  template <class T>
  void shuffle(std::vector<T>& list) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[static_cast<std::size_t>(below(i))]);
  }
  /// k distinct values of [0, n), in random order.
  std::vector<int> distinct(int n, int k) {
    require(k >= 0 && k <= n, "Random::distinct: {} of {}", k, n);
    std::vector<int> all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(k); ++i) {
      std::swap(all[i], all[i + static_cast<std::size_t>(below(all.size() - i))]);
    }
    all.resize(static_cast<std::size_t>(k));
    return all;
  }

 private:
  static std::uint64_t rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace kvmend
