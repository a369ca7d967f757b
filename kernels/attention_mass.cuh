#pragma once
#include "attention_tile.cuh"

namespace kvmend::gpu {

/// Column statistics of the softmax matrix, which is never written: a block a tile of 32 keys runs over all rows, with
/// every row's top and sum from a pass of attention_tile. Over heads first (the sum times head_weight), then over rows.
/// This is the form for float32 operands; with bf16 attention_mass_mma does it.
/// FLOPs: 2 · head_dim a visible pair and head, twice; bytes: keys once a tile of rows.
/// Model, not measured: 64 rows over 8192 keys, 32 heads of 128; 8.6 GFLOP; floor 130 µs; expected 20 % of FLOPs (each
/// product of four reads 32 bytes of shared memory).
template <int width, class T>
__global__ void __launch_bounds__(128, 4)
    attention_mass(QueryRows q, KeyList<T> keys, AttentionShape shape, const float* tops, const float* sums,
                   float head_weight, RowReduction reduction, float* out, std::int64_t out_stride) {
  using Tile = AttentionTile<width>;
  KVMEND_DYNAMIC_SHARED(Tile, tile);
  const int t = static_cast<int>(threadIdx.x), slot = t / Tile::kLanes, lane = t % Tile::kLanes;
  const int begin = static_cast<int>(blockIdx.x) * Tile::kKeys, vectors = shape.rows * shape.group;
  AttentionShape one = shape;  // query vectors of one head at a time
  one.group = 1;
  float total[4] = {0, 0, 0, 0};
  for (int first = 0; first < shape.rows; first += Tile::kVectors) {
    const int row = first + slot;
    const Interval sees = row < shape.rows ? interval_of(q, keys, row) : Interval{0, 0};
    if (__syncthreads_or(sees.begin < begin + Tile::kKeys && sees.end > begin) == 0) continue;
    float over_heads[4] = {0, 0, 0, 0};
    for (int kv_head = 0; kv_head < shape.kv_heads; ++kv_head) {
      __syncthreads();
      load_key_tile<width>(tile->k, keys, false, begin, keys.n_keys,
                           static_cast<std::int64_t>(kv_head) * shape.head_dim, shape);
      for (int g = 0; g < shape.group; ++g) {
        __syncthreads();
        load_query_tile<width>(tile->q, q, first, kv_head * shape.group + g, one);
        __syncthreads();
        float products[4];
        tile_products<width>(products, tile->q[slot], tile->k, lane);
        const std::int64_t item = static_cast<std::int64_t>(kv_head) * vectors + row * shape.group + g;
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          const int key = begin + 8 * j + lane;
          if (key < sees.begin || key >= sees.end) continue;
          over_heads[j] += exp2f(tempered(products[j], key, shape.scale, keys.temper) - tops[item]) / sums[item];
        }
      }
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const float p = over_heads[j] * head_weight;
      if (reduction == RowReduction::sum) total[j] += p;
      if (reduction == RowReduction::max) total[j] = fmaxf(total[j], p);
      if (reduction == RowReduction::l2) total[j] += p * p;
    }
  }
  // Rows of this key are spread over the sixteen slots.
  __syncthreads();
#pragma unroll
  for (int j = 0; j < 4; ++j) tile->p[slot][8 * j + lane] = total[j];
  __syncthreads();
  if (t >= Tile::kKeys || begin + t >= keys.n_keys) return;
  float sum = 0;
  for (int i = 0; i < Tile::kVectors; ++i)
    sum = reduction == RowReduction::max ? fmaxf(sum, tile->p[i][t]) : sum + tile->p[i][t];
  out[(begin + t) * out_stride] = reduction == RowReduction::l2 ? sqrtf(sum) : sum;
}

}  // namespace kvmend::gpu
