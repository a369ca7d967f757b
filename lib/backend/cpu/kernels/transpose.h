#pragma once
#include "backend/cpu/kernels/simd.h"

namespace kvmend::KVMEND_LEVEL {

/// Within each block of four lanes: a0 b0 a1 b1.
template <int... I>
static inline Vec unpack_low(Vec a, Vec b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (I / 4 * 4 + I % 4 / 2 + I % 2 * kLanes)...);
}
template <int... I>
static inline Vec unpack_high(Vec a, Vec b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (I / 4 * 4 + 2 + I % 4 / 2 + I % 2 * kLanes)...);
}
/// Within each block of four lanes: a0 a1 b0 b1.
template <int... I>
static inline Vec pairs_low(Vec a, Vec b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (I / 4 * 4 + I % 2 + I % 4 / 2 * kLanes)...);
}
template <int... I>
static inline Vec pairs_high(Vec a, Vec b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (I / 4 * 4 + 2 + I % 2 + I % 4 / 2 * kLanes)...);
}
/// Blocks of H lanes: those of a whose index is even, with b's in between; and the other halves.
template <int H, int... I>
static inline Vec blocks_even(Vec a, Vec b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, ((I / H % 2) == 0 ? I : kLanes + I - H)...);
}
template <int H, int... I>
static inline Vec blocks_odd(Vec a, Vec b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, ((I / H % 2) == 0 ? I + H : kLanes + I)...);
}

template <int H>
static inline void exchange_blocks(Vec (&r)[kLanes]) {
  for (int i = 0; i < kLanes; ++i)
    if ((i & H) == 0) {
      const Vec even = blocks_even<H>(r[i], r[i + H], Lanes{}), odd = blocks_odd<H>(r[i], r[i + H], Lanes{});
      r[i] = even;
      r[i + H] = odd;
    }
}

/// r[i][j] becomes r[j][i]: 4 × 4 within the blocks, then the blocks.
static inline void transpose(Vec (&r)[kLanes]) {
  for (int i = 0; i < kLanes; i += 4) {
    const Vec a = unpack_low(r[i], r[i + 1], Lanes{}), b = unpack_high(r[i], r[i + 1], Lanes{});
    const Vec c = unpack_low(r[i + 2], r[i + 3], Lanes{}), d = unpack_high(r[i + 2], r[i + 3], Lanes{});
    r[i] = pairs_low(a, c, Lanes{});
    r[i + 1] = pairs_high(a, c, Lanes{});
    r[i + 2] = pairs_low(b, d, Lanes{});
    r[i + 3] = pairs_high(b, d, Lanes{});
  }
  if constexpr (kLanes >= 8) exchange_blocks<4>(r);
  if constexpr (kLanes >= 16) exchange_blocks<8>(r);
}

/// Columns [0, n) of kLanes rows, transposed: to[c · to_stride + i] = from[i][c] for c < n. Rows that are null
/// give zeros.
template <class T>
static inline void transpose_rows(const T* const (&from)[kLanes], std::int64_t n, float* to, std::int64_t to_stride) {
  static const T zeros[kLanes] = {};
  std::int64_t c = 0;
  for (; c + kLanes <= n; c += kLanes) {
    Vec r[kLanes];
    for (int i = 0; i < kLanes; ++i) r[i] = load(from[i] != nullptr ? from[i] + c : zeros);
    transpose(r);
    for (int i = 0; i < kLanes; ++i) store(to + (c + i) * to_stride, r[i]);
  }
  if (c < n) {
    Vec r[kLanes];
    for (int i = 0; i < kLanes; ++i) r[i] = from[i] != nullptr ? load_part(from[i] + c, n - c) : Vec{};
    transpose(r);
    for (int i = 0; i < n - c; ++i) store(to + (c + i) * to_stride, r[i]);
  }
}

}  // namespace kvmend::KVMEND_LEVEL
