#pragma once
#include "mma_keys.cuh"

namespace kvmend::gpu {

/// Shared memory of attention_mass_mma: 64 rows of one head, 64 keys of its KV head.
template <int width>
struct MassTile {
  static constexpr int kRows = 64, kKeys = 64, kThreads = 128, kStride = width + 8;
  std::uint16_t q[kRows][kStride];
  std::uint16_t k[kKeys][kStride];
  std::int32_t slots[kKeys];
  float of_warp[4][kKeys];
};

/// attention_mass on tensor cores: bf16 operands, float32 probabilities. A block has 64 keys and runs over all rows and
/// heads; a warp has 16 rows, and a thread keeps the sums over heads of the same (row, key) pairs throughout, so that the
/// order of the two reductions costs nothing. Tops and sums are from a pass of attention_mma without values.
/// FLOPs: 2 · head_dim a visible pair and head, twice; bytes: keys once a tile of rows, queries once a tile of keys, from L2.
/// Model, not measured: 64 rows over 8192 keys, 32 heads of 128; 8.6 GFLOP; floor 9 µs; expected 15 % of FLOPs (queries are
/// read from L2 and rounded again by every block).
template <int width, bool async, class T>
__global__ void __launch_bounds__(128, 2)
    attention_mass_mma(QueryRows q, KeyList<T> keys, AttentionShape shape, const float* tops, const float* sums,
                       float head_weight, RowReduction reduction, float* out, std::int64_t out_stride) {
  using Tile = MassTile<width>;
  constexpr int kKeyGroups = Tile::kKeys / 8;
  KVMEND_DYNAMIC_SHARED(Tile, tile);
  const int t = static_cast<int>(threadIdx.x), warp = t / 32, lane = t % 32;
  const int begin = static_cast<int>(blockIdx.x) * Tile::kKeys, vectors = shape.rows * shape.group;
  const Interval part{begin, min(begin + Tile::kKeys, keys.n_keys)};
  float total[kKeyGroups][2];
#pragma unroll
  for (int n = 0; n < kKeyGroups; ++n) total[n][0] = total[n][1] = 0;
  if (t < Tile::kKeys) tile->slots[t] = keys.slots[min(begin + t, part.end - 1)];  // there after the first barrier

  for (int first = 0; first < shape.rows; first += Tile::kRows) {
    Interval sees[2];  // of this thread's rows
    bool some = false;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = first + 16 * warp + lane / 4 + 8 * half;
      sees[half] = row < shape.rows ? interval_of(q, keys, row) : Interval{0, 0};
      some = some || (sees[half].begin < part.end && sees[half].end > part.begin);
    }
    if (__syncthreads_or(some) == 0) continue;
    float over_heads[kKeyGroups][4];
#pragma unroll
    for (int n = 0; n < kKeyGroups; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) over_heads[n][e] = 0;
    for (int head = 0; head < shape.kv_heads * shape.group; ++head) {
      const int kv_head = head / shape.group, g = head % shape.group;
      __syncthreads();  // the last head's rows have been read
      if (g == 0) {
        fetch_rows<width, Tile::kKeys, Tile::kThreads, false, async>(tile->k, keys.store, tile->slots,
                                                                     kv_head * shape.head_dim, shape.head_dim);
        if constexpr (async) {
          prim::copy_async_commit();
          prim::copy_async_wait<0>();
        }
      }
      load_queries<width, Tile::kRows, Tile::kThreads>(tile->q, q, first, shape.rows, head, 1, shape.head_dim);
      __syncthreads();
      float s[1][kKeyGroups][4];
      products_of_warp<width>(s, tile->q + 16 * warp, tile->k);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int row = first + 16 * warp + lane / 4 + 8 * half;
        if (sees[half].begin >= sees[half].end) continue;  // past the last row, too
        const std::int64_t item = static_cast<std::int64_t>(kv_head) * vectors + row * shape.group + g;
        const float top = tops[item], inverse = 1 / sums[item];
#pragma unroll
        for (int n = 0; n < kKeyGroups; ++n)
#pragma unroll
          for (int e = 2 * half; e < 2 * half + 2; ++e) {
            const int key = begin + 8 * n + lane % 4 * 2 + e % 2;
            const float p = exp2f(tempered(s[0][n][e], key, shape.scale, keys.temper) - top) * inverse;
            over_heads[n][e] += key >= sees[half].begin && key < sees[half].end ? p : 0.0F;
          }
      }
    }
#pragma unroll
    for (int n = 0; n < kKeyGroups; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const float p = over_heads[n][e] * head_weight;
        if (reduction == RowReduction::sum) total[n][e % 2] += p;
        if (reduction == RowReduction::max) total[n][e % 2] = fmaxf(total[n][e % 2], p);
        if (reduction == RowReduction::l2) total[n][e % 2] += p * p;
      }
  }

  // Rows of a key are spread over the lanes of equal lane % 4 and over the warps.
  const auto joined = [&](float a, float b) { return reduction == RowReduction::max ? fmaxf(a, b) : a + b; };
#pragma unroll
  for (int n = 0; n < kKeyGroups; ++n)
#pragma unroll
    for (int e = 0; e < 2; ++e) {
      float sum = total[n][e];
#pragma unroll
      for (int offset = 4; offset < 32; offset *= 2) sum = joined(sum, __shfl_xor_sync(kAllLanes, sum, offset));
      if (lane < 4) tile->of_warp[warp][8 * n + lane * 2 + e] = sum;
    }
  __syncthreads();
  if (t >= Tile::kKeys || begin + t >= keys.n_keys) return;
  float sum = tile->of_warp[0][t];
  for (int w = 1; w < 4; ++w) sum = joined(sum, tile->of_warp[w][t]);
  out[(begin + t) * out_stride] = reduction == RowReduction::l2 ? sqrtf(sum) : sum;
}

}  // namespace kvmend::gpu
