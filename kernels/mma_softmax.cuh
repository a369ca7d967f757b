#pragma once
// The running softmax of attention on tensor cores, on a warp's tile of products [strips][groups of eight keys][4]: with
// lane = 4·g + t, element e of group n belongs to row g + 8 · (e / 2) of the strip and to key 8·n + 2·t + e mod 2.
//
// Issue slots a pair of row and key: one product with the scale, one for the largest, one difference, one exponential, one for
// the sum, half a rounding: 5.5 beside the 1/8 mma that heads of 128 have. Rounding tops up to integers makes a larger one
// rare, so results are seldom rescaled.
#include "attention.cuh"

namespace kvmend::gpu {

/// What a lane keeps of its vectors: of rows g and g + 8 of each strip. Sums are of the lane's keys only.
template <int strips>
struct SoftmaxRows {
  float top[strips][2], sum[strips][2];

  __device__ SoftmaxRows() {
#pragma unroll
    for (int strip = 0; strip < strips; ++strip)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        top[strip][half] = -INFINITY;
        sum[strip][half] = 0;
      }
  }
};

/// Products with keys from `begin` on become logits in powers of two: tempered(), where only tiles with such keys ask for them.
template <int strips, int groups>
__device__ inline void logits_of_warp(float (&s)[strips][groups][4], int begin, float scale, const KeyTemper& temper) {
  const float factor = scale * kLog2E;
#pragma unroll
  for (int strip = 0; strip < strips; ++strip)
#pragma unroll
    for (int n = 0; n < groups; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) s[strip][n][e] *= factor;
  if (begin >= temper.end || begin + 8 * groups <= temper.begin) return;
  const int first = begin + static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
  for (int strip = 0; strip < strips; ++strip)
#pragma unroll
    for (int n = 0; n < groups; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int key = first + 8 * n + e % 2;
        if (key >= temper.begin && key < temper.end) s[strip][n][e] = with_temper(s[strip][n][e], temper);
      }
}

/// −∞ for what the row does not see; `sees`: of the warp's first vector on.
template <int strips, int groups>
__device__ inline void mask_of_warp(float (&s)[strips][groups][4], int begin, const Interval* sees) {
  const int lane = static_cast<int>(threadIdx.x) % 32, first = begin + lane % 4 * 2;
#pragma unroll
  for (int strip = 0; strip < strips; ++strip)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const Interval row = sees[16 * strip + lane / 4 + 8 * half];
      const int from = row.begin - first, to = row.end - first;
#pragma unroll
      for (int n = 0; n < groups; ++n)
#pragma unroll
        for (int e = 0; e < 2; ++e)
          if (8 * n + e < from || 8 * n + e >= to) s[strip][n][2 * half + e] = -INFINITY;
    }
}

/// Logits become probabilities of the rows' tops, which may move up; sums and results so far move with them.
template <int strips, int groups, int columns>
__device__ inline void softmax_of_warp(float (&s)[strips][groups][4], SoftmaxRows<strips>& rows,
                                       float (&acc)[strips][columns][4]) {
#pragma unroll
  for (int strip = 0; strip < strips; ++strip) {
    float factor[2], base[2];
    bool moved = false;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float highest = -INFINITY;
#pragma unroll
      for (int n = 0; n < groups; ++n)
        highest = fmaxf(highest, fmaxf(s[strip][n][2 * half], s[strip][n][2 * half + 1]));
      highest = fmaxf(highest, __shfl_xor_sync(kAllLanes, highest, 1));
      highest = fmaxf(highest, __shfl_xor_sync(kAllLanes, highest, 2));
      const float before = rows.top[strip][half], top = fmaxf(before, ceilf(highest));
      moved = moved || top != before;
      factor[half] = rescale(before, top);
      base[half] = top == -INFINITY ? 0.0F : top;  // of a row that has seen nothing every probability is 2^−∞
      rows.top[strip][half] = top;
      rows.sum[strip][half] *= factor[half];
    }
    if (__any_sync(kAllLanes, moved)) {
#pragma unroll
      for (int i = 0; i < columns; ++i)
#pragma unroll
        for (int e = 0; e < 4; ++e) acc[strip][i][e] *= factor[e / 2];
    }
#pragma unroll
    for (int n = 0; n < groups; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        s[strip][n][e] = prim::exp2_flushed(s[strip][n][e] - base[e / 2]);
        rows.sum[strip][e / 2] += s[strip][n][e];
      }
  }
}

}  // namespace kvmend::gpu
