#pragma once
#include "attention.cuh"

namespace kvmend::gpu {

/// A tile of 16 vectors and 32 keys; eight threads share a vector.
template <int width>
struct AttentionTile {
  static constexpr int kVectors = 16, kKeys = 32, kLanes = 8, kThreads = kVectors * kLanes;
  static constexpr int kBlocks = width > 128 ? 2 : 4;  ///< of a multiprocessor: shared memory allows no more
  static constexpr int kStride = width + 4;  ///< floats of a row: eight rows' quads then lie in different banks
  float q[kVectors][kStride];
  float k[kKeys][kStride];
  float v[kKeys][kStride];
  float p[kVectors][kKeys + 4];
};

/// Keys (or values) [begin, begin + 32) of one head into shared memory as float32; rows past `end` are zero.
template <int width, class T>
__device__ inline void load_key_tile(float (*to)[AttentionTile<width>::kStride], const KeyList<T>& keys, bool values,
                                     int begin, int end, std::int64_t first_column, const AttentionShape& shape) {
  for (int i = static_cast<int>(threadIdx.x); i < 32 * (width / 4); i += 128) {
    const int key = i / (width / 4), column = i % (width / 4) * 4;
    float4 x = make_float4(0, 0, 0, 0);
    if (begin + key < end) {
      const std::int32_t slot = keys.slots[begin + key];
      const T* row = (values ? keys.store.value(slot) : keys.store.key(slot)) + first_column;
      x = load4_within(row, column, shape.head_dim, shape.quads);
      if (shape.round && sizeof(T) == 4)
        x = make_float4(round_bf16(x.x), round_bf16(x.y), round_bf16(x.z), round_bf16(x.w));
    }
    *reinterpret_cast<float4*>(&to[key][column]) = x;
  }
}

/// Sixteen query vectors from `first` on into shared memory, rounded where operands are.
template <int width>
__device__ inline void load_query_tile(float (*to)[AttentionTile<width>::kStride], const QueryRows& q, int first,
                                       int kv_head, const AttentionShape& shape) {
  const int vectors = shape.rows * shape.group;
  for (int i = static_cast<int>(threadIdx.x); i < 16 * width; i += 128) {
    const int vector = first + i / width, column = i % width;
    float x = 0;
    if (vector < vectors && column < shape.head_dim) {
      const int head = kv_head * shape.group + vector % shape.group;
      x = q.data[vector / shape.group * q.stride + static_cast<std::int64_t>(head) * shape.head_dim + column];
      if (shape.round) x = round_bf16(x);
    }
    to[i / width][column] = x;
  }
}

/// The products of this thread's vector with its four keys of the tile: keys lane, lane + 8, …
template <int width>
__device__ inline void tile_products(float (&products)[4], const float* q,
                                     const float (*k)[AttentionTile<width>::kStride], int lane) {
#pragma unroll
  for (int j = 0; j < 4; ++j) products[j] = 0;
#pragma unroll 4
  for (int column = 0; column < width; column += 4) {
    const float4 x = *reinterpret_cast<const float4*>(q + column);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const float4 y = *reinterpret_cast<const float4*>(&k[8 * j + lane][column]);
      products[j] += x.x * y.x + x.y * y.y + x.z * y.z + x.w * y.w;
    }
  }
}

/// Attention on CUDA cores, float32 throughout: for float32 operands, where results are compared and speed is second. With bf16
/// operands attention_mma does it. Prefill, and decoding (one row a cell, `cells` gives each its own key list). width ≥
/// head_dim. Grid (tiles of vectors, KV heads, cells · parts).
/// FLOPs: 4 · head_dim a visible pair; bytes: keys and values once a tile of vectors.
/// Model, not measured: 512 rows over 8192 keys, 32 heads of 128, all visible; 69 GFLOP; floor 1.0 ms; expected 20 % of FLOPs
/// (four fused multiply-adds for 20 bytes of shared memory). Decoding is bound by shared memory, too: 16 rows read each key,
/// however few are real, at about a quarter of the memory's bandwidth.
template <int width, class T>
__global__ void __launch_bounds__(128, AttentionTile<width>::kBlocks)
    attention_tile(QueryRows q, KeyList<T> list, const KeyList<T>* cells, AttentionShape shape, Partials partials,
                   AttentionResult result) {
  using Tile = AttentionTile<width>;
  KVMEND_DYNAMIC_SHARED(Tile, tile);
  const int part = static_cast<int>(blockIdx.z) % partials.parts, cell = static_cast<int>(blockIdx.z) / partials.parts;
  const KeyList<T> keys = cells == nullptr ? list : cells[cell];
  const int kv_head = static_cast<int>(blockIdx.y), t = static_cast<int>(threadIdx.x);
  // A cell's vectors are its row's only.
  const int of_block = cells == nullptr ? shape.rows * shape.group : shape.group;
  const int first_of_cell = cell * shape.group, within = static_cast<int>(blockIdx.x) * Tile::kVectors;
  const int slot = t / Tile::kLanes, lane = t % Tile::kLanes, vector = first_of_cell + within + slot;
  const bool real = within + slot < of_block;
  const int row = real ? vector / shape.group : 0;
  const Interval sees = real ? interval_of(q, keys, row) : Interval{0, 0};

  // What any row of the tile sees: rows of one block are neighbours.
  const int first_row = (first_of_cell + within) / shape.group;
  const int last_row = (first_of_cell + min(within + Tile::kVectors, of_block) - 1) / shape.group;
  Interval any{0x7fffffff, 0};
  for (int r = first_row; r <= last_row; ++r) {
    const Interval of_row = interval_of(q, keys, r);
    if (of_row.begin < of_row.end) any = {min(any.begin, of_row.begin), max(any.end, of_row.end)};
  }
  const Interval mine = part_of(any, part, partials.parts, shape.keys_of_part, Tile::kKeys);

  load_query_tile<width>(tile->q, q, first_of_cell + within, kv_head, shape);
  const std::int64_t first_column = static_cast<std::int64_t>(kv_head) * shape.head_dim;
  float top = -INFINITY, sum = 0;
  float4 acc[width / 32];
#pragma unroll
  for (int i = 0; i < width / 32; ++i) acc[i] = make_float4(0, 0, 0, 0);
  for (int begin = mine.begin / Tile::kKeys * Tile::kKeys; begin < mine.end; begin += Tile::kKeys) {
    __syncthreads();
    load_key_tile<width>(tile->k, keys, false, begin, mine.end, first_column, shape);
    if (result.tops == nullptr) load_key_tile<width>(tile->v, keys, true, begin, mine.end, first_column, shape);
    __syncthreads();
    float logits[4];
    tile_products<width>(logits, tile->q[slot], tile->k, lane);
    float highest = -INFINITY;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int key = begin + 8 * j + lane;
      const bool visible = key >= max(sees.begin, mine.begin) && key < min(sees.end, mine.end);
      logits[j] = visible ? tempered(logits[j], key, shape.scale, keys.temper) : -INFINITY;
      highest = fmaxf(highest, logits[j]);
    }
#pragma unroll
    for (int offset = 4; offset > 0; offset /= 2)
      highest = fmaxf(highest, __shfl_xor_sync(kAllLanes, highest, offset, 8));
    const float before = top;
    top = fmaxf(top, ceilf(highest));
    const float factor = rescale(before, top);
    sum *= factor;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const float p = top == -INFINITY ? 0.0F : exp2f(logits[j] - top);
      sum += p;
      tile->p[slot][8 * j + lane] = shape.round ? round_bf16(p) : p;
    }
    __syncwarp();
    if (result.tops == nullptr) {
#pragma unroll
      for (int i = 0; i < width / 32; ++i) {
        acc[i] = make_float4(acc[i].x * factor, acc[i].y * factor, acc[i].z * factor, acc[i].w * factor);
      }
#pragma unroll 4
      for (int key = 0; key < Tile::kKeys; ++key) {
        const float p = tile->p[slot][key];
#pragma unroll
        for (int i = 0; i < width / 32; ++i) {
          const float4 v = *reinterpret_cast<const float4*>(&tile->v[key][32 * i + 4 * lane]);
          acc[i].x += p * v.x;
          acc[i].y += p * v.y;
          acc[i].z += p * v.z;
          acc[i].w += p * v.w;
        }
      }
    }
    __syncwarp();
  }
#pragma unroll
  for (int offset = 4; offset > 0; offset /= 2) sum += __shfl_xor_sync(kAllLanes, sum, offset, 8);

  if (!real) return;
  const int vectors = shape.rows * shape.group, d = shape.head_dim;
  const int head = kv_head * shape.group + vector % shape.group;
  const bool whole = partials.data == nullptr;
  const std::int64_t item = static_cast<std::int64_t>(kv_head) * vectors + vector;
  float* to = whole ? result.out + row * result.out_stride + static_cast<std::int64_t>(head) * d
                    : partials.data + (static_cast<std::int64_t>(part) * shape.kv_heads * vectors + item) * (d + 2);
  const float divisor = !whole ? 1.0F : sum > 0 ? sum : 1.0F;
  if (!whole || result.out != nullptr) {
#pragma unroll
    for (int i = 0; i < width / 32; ++i)
      store4_within(to, 32 * i + 4 * lane, d, false,
                    make_float4(acc[i].x / divisor, acc[i].y / divisor, acc[i].z / divisor, acc[i].w / divisor));
  }
  if (lane != 0) return;
  if (!whole) {
    to[d] = top;
    to[d + 1] = sum;
    return;
  }
  if (result.lse != nullptr)
    result.lse[row * result.lse_stride + head] = sum > 0 ? kLn2 * (top + log2f(sum)) : -INFINITY;
  if (result.tops != nullptr) {
    result.tops[item] = top;
    result.sums[item] = sum;
  }
}

}  // namespace kvmend::gpu
