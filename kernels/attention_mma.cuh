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

/// Starts (or, where rows are not aligned or not bf16, does) the copy of one head's keys, and values unless `v` is null, from
/// `begin` on. What lies outside of `part` repeats a key that is inside; it is masked later.
template <int width, int n_keys, bool async, class T>
__device__ inline void fetch_keys(std::uint16_t (*k_to)[width + 8], std::uint16_t (*v_to)[width + 8],
                                  const KeyList<T>& keys, int begin, Interval part, std::int64_t first_column,
                                  int head_dim) {
  for (int i = static_cast<int>(threadIdx.x); i < n_keys * (width / 8); i += 128) {
    const int key = i / (width / 8), column = i % (width / 8) * 8;
    const std::int32_t slot = keys.slots[min(max(begin + key, part.begin), part.end - 1)];
    const T* k = keys.store.key(slot) + first_column;
    const T* v = v_to == nullptr ? k : keys.store.value(slot) + first_column;
    if constexpr (async) {
      const unsigned bytes = column < head_dim ? 16 : 0;
      prim::copy_async_16(&k_to[key][column], bytes == 0 ? k : k + column, bytes);
      if (v_to != nullptr) prim::copy_async_16(&v_to[key][column], bytes == 0 ? v : v + column, bytes);
    } else {
#pragma unroll
      for (int e = 0; e < 8; ++e) {
        const bool inside = column + e < head_dim;
        k_to[key][column + e] = inside ? bf16_bits(to_float(k[column + e])) : std::uint16_t{0};
        if (v_to != nullptr) v_to[key][column + e] = inside ? bf16_bits(to_float(v[column + e])) : std::uint16_t{0};
      }
    }
  }
  if constexpr (async) prim::copy_async_commit();
}

/// Query vectors [first, first + 64) of one KV head, rounded; zeros from `end` on.
template <int width>
__device__ inline void load_queries(std::uint16_t (*to)[width + 8], const QueryRows& q, int first, int end, int kv_head,
                                    int group, int head_dim) {
  for (int i = static_cast<int>(threadIdx.x); i < 64 * width; i += 128) {
    const int vector = first + i / width, column = i % width;
    float x = 0;
    if (vector < end && column < head_dim) {
      const int head = kv_head * group + vector % group;
      x = q.data[vector / group * q.stride + static_cast<std::int64_t>(head) * head_dim + column];
    }
    to[i / width][column] = bf16_bits(x);
  }
}

/// The products of this warp's 16 vectors with a tile of keys.
template <int width, int groups>
__device__ inline void products_of_warp(float (&s)[groups][4], const std::uint16_t (*q)[width + 8],
                                        const std::uint16_t (*k)[width + 8]) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int n = 0; n < groups; ++n)
#pragma unroll
    for (int e = 0; e < 4; ++e) s[n][e] = 0;
#pragma unroll
  for (int step = 0; step < width / 16; ++step) {
    std::uint32_t a[4];
    prim::load_matrices(a, &q[16 * warp + lane % 16][16 * step + lane / 16 * 8]);
#pragma unroll
    for (int n = 0; n < groups; n += 2) {  // two groups of eight keys a load
      std::uint32_t b[4];
      prim::load_matrices(b, &k[8 * n + lane / 16 * 8 + lane % 8][16 * step + lane / 8 % 2 * 8]);
      prim::mma_bf16(s[n], a, {b[0], b[1]});
      prim::mma_bf16(s[n + 1], a, {b[2], b[3]});
    }
  }
}

/// What a thread of a warp keeps of its sixteen vectors: of rows g and g + 8 (lane = 4·g + t).
struct MmaRow {
  Interval sees;
  float top, sum;
};

/// Attention of any query rows on tensor cores: bf16 operands, float32 accumulators. Grid (tiles of 64 vectors, KV
/// heads, cells · parts); a warp has 16 vectors. Keys stream through two stages of shared memory; tiles outside of what the
/// block's rows see are not visited, tiles that all of them see are not masked. `cells` gives each row its own key list
/// (decoding: a tile holds one row's `group` vectors, and warps without any only help to copy). With result.tops only the
/// softmax's tops and sums are wanted: values are not read.
///
/// Prefill. FLOPs: 4 · head_dim a visible pair; bytes: keys and values once a tile of vectors, from L2.
/// Model, not measured: 512 rows over 8192 keys, 32 heads of 128, all visible; 69 GFLOP; floor 70 µs; expected 35 % of
/// FLOPs (mma, not wgmma; of an A100's 312 TFLOP/s 55 %).
/// Decoding. Bytes: keys and values once. A group of 4 heads does 4 FLOPs a byte, 13 TFLOP/s at the memory's speed; filling
/// the tile's other 12 rows with zeros makes it 54, of 990. On CUDA cores shared memory would be the limit: each of 16 rows
/// reads every key, 32 bytes a byte from memory. Here one warp reads it once by ldmatrix. 16 rows over 8192 keys each, 8 KV
/// heads of 128: 537 MB, floor 160 µs, expected 75 % of bandwidth.
template <int width, bool async, class T>
__global__ void __launch_bounds__(128, 2)
    attention_mma(QueryRows q, KeyList<T> list, const KeyList<T>* cells, AttentionShape shape, Partials partials,
                  AttentionResult result) {
  using Tile = MmaTile<width>;
  constexpr int kKeyGroups = Tile::kKeys / 8;
  KVMEND_DYNAMIC_SHARED(Tile, tile);
  const int t = static_cast<int>(threadIdx.x), warp = t / 32, lane = t % 32;
  const int part = static_cast<int>(blockIdx.z) % partials.parts, cell = static_cast<int>(blockIdx.z) / partials.parts;
  const KeyList<T> keys = cells == nullptr ? list : cells[cell];
  const int kv_head = static_cast<int>(blockIdx.y), vectors = shape.rows * shape.group;
  const int end = cells == nullptr ? vectors : (cell + 1) * shape.group;
  const int first = cell * shape.group + static_cast<int>(blockIdx.x) * Tile::kVectors;
  const std::int64_t first_column = static_cast<std::int64_t>(kv_head) * shape.head_dim;
  const bool wants_values = result.tops == nullptr;
  load_queries<width>(tile->q, q, first, end, kv_head, shape.group, shape.head_dim);

  Interval any{0x7fffffff, 0}, all{0, 0x7fffffff};  // what some row sees, and what every row sees
  for (int r = first / shape.group; r <= (min(first + Tile::kVectors, end) - 1) / shape.group; ++r) {
    const Interval of_row = interval_of(q, keys, r);
    all = {max(all.begin, of_row.begin), min(all.end, of_row.end)};
    if (of_row.begin < of_row.end) any = {min(any.begin, of_row.begin), max(any.end, of_row.end)};
  }
  const Interval mine = part_of(any, part, partials.parts, shape.keys_of_part, Tile::kKeys);
  MmaRow rows[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int vector = first + 16 * warp + lane / 4 + 8 * half;
    rows[half] = {vector < end ? interval_of(q, keys, vector / shape.group) : Interval{0, 0}, -INFINITY, 0};
  }
  float acc[width / 8][4];
#pragma unroll
  for (int i = 0; i < width / 8; ++i)
#pragma unroll
    for (int e = 0; e < 4; ++e) acc[i][e] = 0;

  const auto fetch = [&](int stage, int begin) {
    fetch_keys<width, Tile::kKeys, async>(tile->k[stage], wants_values ? tile->v[stage] : nullptr, keys, begin, mine,
                                          first_column, shape.head_dim);
  };
  const int from = mine.begin / Tile::kKeys * Tile::kKeys;
  if (from < mine.end) fetch(0, from);
  for (int begin = from, stage = 0; begin < mine.end; begin += Tile::kKeys, stage ^= 1) {
    __syncthreads();  // the other stage has been read
    if (begin + Tile::kKeys < mine.end) {
      fetch(stage ^ 1, begin + Tile::kKeys);
      if constexpr (async) prim::copy_async_wait<1>();
    } else {
      if constexpr (async) prim::copy_async_wait<0>();
    }
    __syncthreads();
    if (first + 16 * warp >= end) continue;  // the whole warp has no vector

    float s[kKeyGroups][4];  // logits: 16 vectors by kKeys keys of this warp
    products_of_warp<width>(s, tile->q, tile->k[stage]);

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

    if (!wants_values) continue;

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
    if (vector >= end) continue;
    const int row = vector / shape.group, head = kv_head * shape.group + vector % shape.group;
    const std::int64_t item = static_cast<std::int64_t>(kv_head) * vectors + vector;
    const bool whole = partials.data == nullptr;
    float* to = whole ? result.out : partials.data;
    to += whole ? row * result.out_stride + static_cast<std::int64_t>(head) * d
                : (static_cast<std::int64_t>(part) * shape.kv_heads * vectors + item) * (d + 2);
    const float divisor = !whole ? 1.0F : sum > 0 ? sum : 1.0F;
#pragma unroll
    for (int i = 0; i < width / 8; ++i) {
      const int column = 8 * i + lane % 4 * 2;
      if (wants_values && column < d) to[column] = acc[i][2 * half] / divisor;
      if (wants_values && column + 1 < d) to[column + 1] = acc[i][2 * half + 1] / divisor;
    }
    if (lane % 4 != 0) continue;
    if (!whole) {
      to[d] = rows[half].top;
      to[d + 1] = sum;
      continue;
    }
    if (result.lse != nullptr)
      result.lse[row * result.lse_stride + head] = sum > 0 ? kLn2 * (rows[half].top + log2f(sum)) : -INFINITY;
    if (result.tops != nullptr) {
      result.tops[item] = rows[half].top;
      result.sums[item] = sum;
    }
  }
}

}  // namespace kvmend::gpu
