#pragma once
// Operands as 32-bit words: a float32, or a pair of bf16 that are neighbours along the sum. What products and
// attention read, transposed so that one word of kLanes columns is a vector.
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/matmul.h"

namespace kvmend::KVMEND_LEVEL {

static inline std::int64_t steps_of(std::int64_t k, bool pairs) { return pairs ? (k + 1) / 2 : k; }

/// Words of a block of kTileRows rows; a vector more, because stores of whole vectors run past the last row.
static inline std::int64_t packed_block_words(std::int64_t steps) { return round_up(steps * kTileRows + kLanes, 16); }
static inline std::int64_t packed_panel_words(std::int64_t steps) { return steps * kPanel; }

/// kLanes words of a row of k float32, from `step` on; zero past its end.
template <bool kPairs>
static inline Vec load_words(const float* row, std::int64_t k, std::int64_t step) {
  const auto read = [row, k](std::int64_t c) { return load_up_to(row + c, k - c); };
  return kPairs ? pair_words(read(2 * step), read(2 * step + kLanes)) : read(step);
}

/// Rows [first, first + count) as a block: to[step][kTileRows]; missing rows are zero.
template <bool kPairs>
static inline void pack_block(const float* x, std::int64_t stride, std::int64_t count, std::int64_t k, float* to) {
  constexpr int kGroups = (kTileRows + kLanes - 1) / kLanes;
  const std::int64_t steps = steps_of(k, kPairs);
  for (std::int64_t step = 0; step < steps; step += kLanes) {
    Vec r[kGroups][kLanes];
    for (int g = 0; g < kGroups; ++g) {
      for (int i = 0; i < kLanes; ++i) {
        const std::int64_t row = g * kLanes + i;
        r[g][i] = row < count && row < kTileRows ? load_words<kPairs>(x + row * stride, k, step) : Vec{};
      }
      transpose(r[g]);
    }
    const std::int64_t n = steps - step < kLanes ? steps - step : kLanes;
    for (int i = 0; i < n; ++i)  // what runs past kTileRows is overwritten by the next step
      for (int g = 0; g < kGroups; ++g) store(to + (step + i) * kTileRows + g * kLanes, r[g][i]);
  }
}

template <bool kPairs>
static void pack_rows(const PackArgs& a, std::int64_t begin, std::int64_t end) {
  const std::int64_t words = packed_block_words(steps_of(a.k, kPairs));
  for (std::int64_t block = begin; block < end; ++block)
    pack_block<kPairs>(a.x + block * kTileRows * a.x_stride, a.x_stride, a.rows - block * kTileRows, a.k,
                       a.to + block * words);
}

/// Up to kPanel rows of k float32 as a panel: to[step][kPanel]; missing rows, and steps past k, are zero.
template <bool kPairs>
static inline void pack_panel(const float* x, std::int64_t stride, std::int64_t count, std::int64_t k,
                              std::int64_t steps, float* to) {
  for (std::int64_t step = 0; step < steps; step += kLanes)
    for (int v = 0; v < 2; ++v) {
      Vec r[kLanes];
      for (int i = 0; i < kLanes; ++i) {
        const std::int64_t row = v * kLanes + i;
        r[i] = row < count ? load_words<kPairs>(x + row * stride, k, step) : Vec{};
      }
      transpose(r);
      const std::int64_t n = steps - step < kLanes ? steps - step : kLanes;
      for (int i = 0; i < n; ++i) store(to + (step + i) * kPanel + v * kLanes, r[i]);
    }
}

/// Rows [kPanel · begin, kPanel · end) as panels.
template <bool kPairs>
static void pack_panels(const PackArgs& a, std::int64_t begin, std::int64_t end) {
  const std::int64_t steps = steps_of(a.k, kPairs);
  for (std::int64_t panel = begin; panel < end; ++panel)
    pack_panel<kPairs>(a.x + panel * kPanel * a.x_stride, a.x_stride, a.rows - panel * kPanel, a.k, steps,
                       a.to + panel * packed_panel_words(steps));
}

}  // namespace kvmend::KVMEND_LEVEL
