#pragma once
#include "attention.cuh"

namespace kvmend::gpu {

/// Shared memory of attention_mma: 64 query vectors, two stages of keys and values. Rows are eight elements longer than
/// they must be, so that the eight rows an ldmatrix reads lie in different banks.
template <int width>
struct MmaTile {
  static constexpr int kVectors = 64, kKeys = width > 128 ? 32 : 64, kThreads = 128, kStride = width + 8;
  std::uint16_t q[kVectors][kStride];
  std::uint16_t k[2][kKeys][kStride];
  std::uint16_t v[2][kKeys][kStride];
};

__device__ inline std::uint16_t bf16_bits(float value) {
  const bf16 rounded = __float2bfloat16(value);
  std::uint16_t bits;
  memcpy(&bits, &rounded, sizeof bits);
  return bits;
}

/// Starts (or, where rows are not aligned or not bf16, does) the copy of keys and values [begin, begin + kKeys) of one
/// head. What lies outside of [first, last) repeats a key that is inside; it is masked later.
template <int width, bool async, class T>
__device__ inline void fetch_tile(MmaTile<width>* tile, int stage, const KeyList<T>& keys, int begin, Interval part,
                                  std::int64_t first_column, int head_dim) {
  using Tile = MmaTile<width>;
  for (int i = static_cast<int>(threadIdx.x); i < Tile::kKeys * (width / 8); i += Tile::kThreads) {
    const int key = i / (width / 8), column = i % (width / 8) * 8;
    const std::int32_t slot = keys.slots[min(max(begin + key, part.begin), part.end - 1)];
    const T* k = keys.store.key(slot) + first_column;
    const T* v = keys.store.value(slot) + first_column;
    if constexpr (async) {
      const unsigned bytes = column < head_dim ? 16 : 0;
      prim::copy_async_16(&tile->k[stage][key][column], bytes == 0 ? k : k + column, bytes);
      prim::copy_async_16(&tile->v[stage][key][column], bytes == 0 ? v : v + column, bytes);
    } else {
#pragma unroll
      for (int e = 0; e < 8; ++e) {
        const bool inside = column + e < head_dim;
        tile->k[stage][key][column + e] = inside ? bf16_bits(to_float(k[column + e])) : std::uint16_t{0};
        tile->v[stage][key][column + e] = inside ? bf16_bits(to_float(v[column + e])) : std::uint16_t{0};
      }
    }
  }
  if constexpr (async) prim::copy_async_commit();
}

/// What a thread of a warp keeps of its sixteen vectors: of rows g and g + 8 (lane = 4·g + t).
struct MmaRow {
  Interval sees;
  float top, sum;
};

/// Attention of any query rows on tensor cores: bf16 operands, float32 accumulators. Grid (tiles of 64 vectors, KV
/// heads, parts); a warp has 16 vectors. Keys stream through two stages of shared memory; tiles outside of what the
/// block's rows see are not visited, tiles that all of them see are not masked.
/// FLOPs: 4 · head_dim a visible pair; bytes: keys and values once a tile of vectors, from L2. 512 rows over 8192 keys,
/// 32 heads of 128: 69 GFLOP, floor 0.07 ms at an H100's 990 TFLOP/s; expected 35 % of that (mma, not wgmma), 55 % of an
/// A100's 312. (model, not measured)
template <int width, bool async, class T>
__global__ void __launch_bounds__(128, 2)
    attention_mma(QueryRows q, KeyList<T> keys, AttentionShape shape, Partials partials, AttentionResult result) {
  using Tile = MmaTile<width>;
  constexpr int kKeyGroups = Tile::kKeys / 8;
  KVMEND_DYNAMIC_SHARED(Tile, tile);
  const int t = static_cast<int>(threadIdx.x), warp = t / 32, lane = t % 32, part = static_cast<int>(blockIdx.z);
  const int kv_head = static_cast<int>(blockIdx.y), first = static_cast<int>(blockIdx.x) * Tile::kVectors;
  const int vectors = shape.rows * shape.group;
  const std::int64_t first_column = static_cast<std::int64_t>(kv_head) * shape.head_dim;

  for (int i = t; i < Tile::kVectors * width; i += Tile::kThreads) {
    const int vector = first + i / width, column = i % width;
    float x = 0;
    if (vector < vectors && column < shape.head_dim) {
      const int head = kv_head * shape.group + vector % shape.group;
      x = q.data[vector / shape.group * q.stride + static_cast<std::int64_t>(head) * shape.head_dim + column];
    }
    tile->q[i / width][column] = bf16_bits(x);
  }

  Interval any{0x7fffffff, 0}, all{0, 0x7fffffff};  // what some row sees, and what every row sees
  for (int r = first / shape.group; r <= (min(first + Tile::kVectors, vectors) - 1) / shape.group; ++r) {
    const Interval of_row = interval_of(q, keys, r);
    all = {max(all.begin, of_row.begin), min(all.end, of_row.end)};
    if (of_row.begin < of_row.end) any = {min(any.begin, of_row.begin), max(any.end, of_row.end)};
  }
  const Interval mine = part_of(any, part, partials.parts, 0, Tile::kKeys);
  MmaRow rows[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int vector = first + 16 * warp + lane / 4 + 8 * half;
    rows[half] = {vector < vectors ? interval_of(q, keys, vector / shape.group) : Interval{0, 0}, -INFINITY, 0};
  }
  float acc[width / 8][4];
#pragma unroll
  for (int i = 0; i < width / 8; ++i)
#pragma unroll
    for (int e = 0; e < 4; ++e) acc[i][e] = 0;

  const int from = mine.begin / Tile::kKeys * Tile::kKeys;
  if (from < mine.end) fetch_tile<width, async>(tile, 0, keys, from, mine, first_column, shape.head_dim);
  for (int begin = from, stage = 0; begin < mine.end; begin += Tile::kKeys, stage ^= 1) {
    __syncthreads();  // the other stage has been read
    if (begin + Tile::kKeys < mine.end) {
      fetch_tile<width, async>(tile, stage ^ 1, keys, begin + Tile::kKeys, mine, first_column, shape.head_dim);
      if constexpr (async) prim::copy_async_wait<1>();
    } else {
      if constexpr (async) prim::copy_async_wait<0>();
    }
    __syncthreads();

    // Logits: 16 vectors by kKeys keys of this warp.
    float s[kKeyGroups][4];
#pragma unroll
    for (int n = 0; n < kKeyGroups; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) s[n][e] = 0;
#pragma unroll
    for (int step = 0; step < width / 16; ++step) {
      std::uint32_t a[4];
      prim::load_matrices(a, &tile->q[16 * warp + lane % 16][16 * step + lane / 16 * 8]);
#pragma unroll
      for (int n = 0; n < kKeyGroups; n += 2) {  // two groups of eight keys a load
        std::uint32_t b[4];
        prim::load_matrices(b, &tile->k[stage][8 * n + lane / 16 * 8 + lane % 8][16 * step + lane / 8 % 2 * 8]);
        prim::mma_bf16(s[n], a, {b[0], b[1]});
        prim::mma_bf16(s[n + 1], a, {b[2], b[3]});
      }
    }

    const bool masked = begin < max(all.begin, mine.begin) || begin + Tile::kKeys > min(all.end, mine.end);
    float highest[2] = {-INFINITY, -INFINITY};
#pragma unroll
    for (int n = 0; n < kKeyGroups; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int key = begin + 8 * n + lane % 4 * 2 + e % 2;
        float logit = tempered(s[n][e], key, shape.scale, keys.temper);
        if (masked) {
          const Interval& sees = rows[e / 2].sees;
          if (key < max(sees.begin, mine.begin) || key >= min(sees.end, mine.end)) logit = -INFINITY;
        }
        s[n][e] = logit;
        highest[e / 2] = fmaxf(highest[e / 2], logit);
      }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float h = highest[half];
      h = fmaxf(h, __shfl_xor_sync(kAllLanes, h, 1));
      h = fmaxf(h, __shfl_xor_sync(kAllLanes, h, 2));
      const float top = fmaxf(rows[half].top, ceilf(h)), factor = rescale(rows[half].top, top);
      rows[half].top = top;
      rows[half].sum *= factor;
#pragma unroll
      for (int i = 0; i < width / 8; ++i) {
        acc[i][2 * half] *= factor;
        acc[i][2 * half + 1] *= factor;
      }
#pragma unroll
      for (int n = 0; n < kKeyGroups; ++n)
#pragma unroll
        for (int e = 2 * half; e < 2 * half + 2; ++e) {
          const float p = top == -INFINITY ? 0.0F : exp2f(s[n][e] - top);
          rows[half].sum += p;
          s[n][e] = p;
        }
    }

    // The logits' layout is that of a left operand: probabilities never leave the registers.
#pragma unroll
    for (int step = 0; step < Tile::kKeys / 16; ++step) {
      const std::uint32_t a[4] = {pack_bf16(s[2 * step][0], s[2 * step][1]), pack_bf16(s[2 * step][2], s[2 * step][3]),
                                  pack_bf16(s[2 * step + 1][0], s[2 * step + 1][1]),
                                  pack_bf16(s[2 * step + 1][2], s[2 * step + 1][3])};
#pragma unroll
      for (int i = 0; i < width / 8; i += 2) {
        std::uint32_t b[4];
        prim::load_matrices_transposed(b, &tile->v[stage][16 * step + lane % 16][8 * i + lane / 16 * 8]);
        prim::mma_bf16(acc[i], a, {b[0], b[1]});
        prim::mma_bf16(acc[i + 1], a, {b[2], b[3]});
      }
    }
  }

#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float sum = rows[half].sum;
    sum += __shfl_xor_sync(kAllLanes, sum, 1);
    sum += __shfl_xor_sync(kAllLanes, sum, 2);
    const int vector = first + 16 * warp + lane / 4 + 8 * half, d = shape.head_dim;
    if (vector >= vectors) continue;
    const int row = vector / shape.group, head = kv_head * shape.group + vector % shape.group;
    const bool whole = partials.data == nullptr;
    const std::int64_t item = static_cast<std::int64_t>(kv_head) * vectors + vector;
    float* to = whole ? result.out + row * result.out_stride + static_cast<std::int64_t>(head) * d
                      : partials.data + (static_cast<std::int64_t>(part) * shape.kv_heads * vectors + item) * (d + 2);
    const float divisor = !whole ? 1.0F : sum > 0 ? sum : 1.0F;
#pragma unroll
    for (int i = 0; i < width / 8; ++i) {
      const int column = 8 * i + lane % 4 * 2;
      if (column < d) to[column] = acc[i][2 * half] / divisor;
      if (column + 1 < d) to[column + 1] = acc[i][2 * half + 1] / divisor;
    }
    if (lane % 4 != 0) continue;
    if (!whole) {
      to[d] = rows[half].top;
      to[d + 1] = sum;
    } else if (result.lse != nullptr) {
      result.lse[row * result.lse_stride + head] = sum > 0 ? kLn2 * (rows[half].top + log2f(sum)) : -INFINITY;
    }
  }
}

}  // namespace kvmend::gpu
