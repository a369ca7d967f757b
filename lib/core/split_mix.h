#pragma once
#include <cstddef>
#include <cstdint>

namespace kvmend {

inline constexpr std::uint64_t split_mix_step = 0x9e3779b97f4a7c15ULL;

/// What SplitMix64 (Steele, Lea, Flood 2014) draws from state x: a bijection whose outputs are uniform for consecutive
/// inputs. Stored results depend on its bits.
constexpr std::uint64_t split_mix(std::uint64_t x) {
  x += split_mix_step;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// The generator: the same draws on every machine.
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t state) : state_(state) {}
  /// As if next() had been called `n` times.
  void skip(std::uint64_t n) { state_ += n * split_mix_step; }
  std::uint64_t next() {
    const std::uint64_t draw = split_mix(state_);
    state_ += split_mix_step;
    return draw;
  }
  /// Uniform in [0, n), 1 ≤ n ≤ 2^32: the high half of a product. Its bias, below n / 2^32, is nothing against 10,000 draws;
  /// Random::below has none.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>((next() >> 32) * n >> 32); }

 private:
  std::uint64_t state_;
};

}  // namespace kvmend
