#pragma once
// What this processor can do at best: products on registers alone, and reading memory alone.
#include "backend/cpu/kernels/simd.h"

namespace kvmend::KVMEND_LEVEL {

constexpr int kPeakChains = kLanes == 16 ? 24 : 12;  // enough to hide an addition's latency, and within the registers

template <bool kPairs>
static float multiply_registers(std::int64_t rounds, const float* start) {
  Vec sum[kPeakChains], a = load(start), b = load(start + kLanes);
  for (int i = 0; i < kPeakChains; ++i) sum[i] = splat(start[i % kLanes] + static_cast<float>(i));
  for (std::int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 24
    for (int i = 0; i < kPeakChains; ++i) sum[i] = kPairs ? dot_pairs(a, b, sum[i]) : fma(a, b, sum[i]);
  for (int i = 1; i < kPeakChains; ++i) sum[0] += sum[i];
  return sum_lanes(sum[0]);
}

/// Runs `rounds` of independent products and returns their FLOPs; `sink` takes the sum, so that it is computed.
static double peak_products(std::int64_t rounds, bool pairs, float* sink) {
  float start[2 * kLanes];
  for (int i = 0; i < 2 * kLanes; ++i) start[i] = *sink + 1e-3F;
  const bool both = kUsesPairs && pairs;
  *sink = both ? multiply_registers<true>(rounds, start) : multiply_registers<false>(rounds, start);
  return static_cast<double>(rounds * kPeakChains * kLanes) * (both ? 4 : 2);
}

/// Σ of `count` float32, a multiple of 4 · kLanes, in four chains.
static float sum_memory(const float* from, std::int64_t count) {
  Vec sum[4] = {};
  for (std::int64_t i = 0; i < count; i += 4 * kLanes)
    for (int u = 0; u < 4; ++u) sum[u] += load(from + i + u * kLanes);
  return sum_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

}  // namespace kvmend::KVMEND_LEVEL
