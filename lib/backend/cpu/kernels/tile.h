#pragma once
// The processor's tile registers (AMX), or the same in plain arithmetic for tests on other processors.
#include "backend/cpu/kernels/simd.h"

namespace kvmend::KVMEND_LEVEL {

constexpr int kTileSide = 16;  // rows of a tile, and 32-bit words of each: 64 bytes

#if defined(__AMX_BF16__)

/// Eight tiles, this thread's while the object lives. The instructions are written out because the compiler's functions
/// for them want a tile's number as a literal.
class Tiles {
 public:
  Tiles() {
    struct alignas(64) {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } const config;
    asm volatile("ldtilecfg %0" : : "m"(config));
  }
  ~Tiles() { asm volatile("tilerelease"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

  template <int tile>
  void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
  }
  /// Rows `stride` words apart.
  template <int tile>
  void load(const float* from, std::int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride * 4), "i"(tile) : "memory");
  }
  template <int tile>
  void store(float* to, std::int64_t stride) const {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride * 4), "i"(tile) : "memory");
  }
  /// sum[i][j] += Σ a[i][s] · b[s][j] over the pairs of bf16 in 16 words: the low halves' sum and the high halves' are
  /// formed apart, each in the order of s, and added. Denormals count as zero.
  template <int sum, int a, int b>
  void dot() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(a), "i"(b));
  }
};

#else

class Tiles {
 public:
  template <int tile>
  void zero() {
    __builtin_memset(words_[tile], 0, sizeof words_[tile]);
  }
  template <int tile>
  void load(const float* from, std::int64_t stride) {
    for (int row = 0; row < kTileSide; ++row)
      __builtin_memcpy(words_[tile][row], from + row * stride, sizeof words_[tile][row]);
  }
  template <int tile>
  void store(float* to, std::int64_t stride) const {
    for (int row = 0; row < kTileSide; ++row)
      __builtin_memcpy(to + row * stride, words_[tile][row], sizeof words_[tile][row]);
  }
  template <int sum, int a, int b>
  void dot() {
    static_assert(kLanes == kTileSide, "a row of a tile is a vector");
    for (int row = 0; row < kTileSide; ++row) {
      Vec low = {}, high = {};
      for (int s = 0; s < kTileSide; ++s) {
        const Bits x = bits_of(splat_word(words_[a][row] + s)), y = bits_of(kvmend::KVMEND_LEVEL::load(words_[b][s]));
        const Bits upper{Bits{} + 0xffff0000U};
        low = fma(from_bits(x << 16), from_bits(y << 16), low);
        high = fma(from_bits(x & upper), from_bits(y & upper), high);
      }
      kvmend::KVMEND_LEVEL::store(words_[sum][row], kvmend::KVMEND_LEVEL::load(words_[sum][row]) + (low + high));
    }
  }

 private:
  float words_[8][kTileSide][kTileSide];
};

#endif

}  // namespace kvmend::KVMEND_LEVEL
