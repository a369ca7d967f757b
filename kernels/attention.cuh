#pragma once
// What the attention kernels share: the problem, the key list, the softmax that rounds alike everywhere.
//
// A "vector" is one query row and head. The vectors of one KV head are numbered row · group + head within the group, so
// that a tile of vectors shares its keys whatever the group is. Keys come from a list of rows of two stores (base and
// overlay). Each row sees an interval of the list: a tile of keys that all its rows see needs no mask, one that none
// sees is skipped.
//
// Probabilities are exp2(logit − top) with `top` the largest logit rounded up to an integer: moving to a larger top is
// then exact, and rounding a probability to bf16 does not depend on how the keys are cut into tiles.
#include "vectors.cuh"

namespace kvmend::gpu {

template <class T>
struct KeyStore {
  const T *base_k, *base_v, *overlay_k, *overlay_v;
  std::int64_t base_k_stride, base_v_stride, overlay_k_stride, overlay_v_stride;

  /// Row of a slot: s ≥ 0 is the base's, s < 0 the overlay's −s − 1.
  __device__ const T* key(std::int32_t slot) const {
    return slot >= 0 ? base_k + slot * base_k_stride : overlay_k + (-slot - 1) * overlay_k_stride;
  }
  __device__ const T* value(std::int32_t slot) const {
    return slot >= 0 ? base_v + slot * base_v_stride : overlay_v + (-slot - 1) * overlay_v_stride;
  }
};

/// Logits of list entries [begin, end) become logit · scale + shift.
struct KeyTemper {
  std::int32_t begin, end;
  float scale, shift;
};

template <class T>
struct KeyList {
  KeyStore<T> store;
  const std::int32_t* slots;
  std::int32_t n_keys;
  KeyTemper temper;
};

/// Unnormalised results of one part of the keys: [parts, kv_heads, vectors, head_dim + 2], the last two columns the top
/// and the sum.
struct Partials {
  float* data;  ///< null: one part, results are written at once
  int parts;
};

struct AttentionShape {
  int rows, kv_heads, group, head_dim;
  float scale;
  bool round;        ///< operands are rounded to bf16
  bool quads;        ///< keys and values are aligned for load4 (or 16-byte copies)
  int keys_of_part;  ///< 0: each tile of vectors cuts what it sees into equal parts
};

struct AttentionResult {
  float* out;  ///< [rows, kv_heads · group · head_dim], null: none
  std::int64_t out_stride;
  float* lse;  ///< [rows, kv_heads · group], or null
  std::int64_t lse_stride;
  float* tops;  ///< [kv_heads, vectors] each, or null: what attention mass needs
  float* sums;
};

/// Of attention mass, over rows.
enum class RowReduction : std::uint8_t { sum, max, l2 };

struct QueryRows {
  const float* data;
  std::int64_t stride;
  const std::int32_t* intervals;  ///< [rows, 2]; null: all keys
};

struct Interval {
  int begin, end;
};

__device__ inline Interval common(Interval a, Interval b) { return {max(a.begin, b.begin), min(a.end, b.end)}; }

template <class T>
__device__ inline Interval interval_of(const QueryRows& q, const KeyList<T>& keys, int row) {
  if (q.intervals == nullptr) return {0, keys.n_keys};
  return {q.intervals[2 * row], q.intervals[2 * row + 1]};
}

constexpr float kLog2E = 1.44269504F, kLn2 = 0.693147181F;

/// Of a logit in powers of two.
__device__ inline float with_temper(float logit, const KeyTemper& temper) {
  return logit * temper.scale + temper.shift * kLog2E;
}

/// A logit in powers of two.
__device__ inline float tempered(float product, int key, float scale, const KeyTemper& temper) {
  const float logit = product * (scale * kLog2E);
  return key >= temper.begin && key < temper.end ? with_temper(logit, temper) : logit;
}

/// 2^(from − to), 0 where nothing was seen before.
__device__ inline float rescale(float from, float to) { return from == -INFINITY ? 0.0F : exp2f(from - to); }

/// The part of [begin, end) that part `index` of `parts` takes, in whole tiles.
__device__ inline Interval part_of(Interval keys, int index, int parts, int keys_of_part, int tile) {
  if (keys.end <= keys.begin) return {0, 0};
  if (keys_of_part > 0) {
    const int begin = index * keys_of_part;
    return {max(keys.begin, begin), min(keys.end, begin + keys_of_part)};
  }
  const int first = keys.begin / tile, tiles = (keys.end + tile - 1) / tile - first;
  const int of_part = (tiles + parts - 1) / parts;
  return {max(keys.begin, (first + index * of_part) * tile), min(keys.end, (first + (index + 1) * of_part) * tile)};
}

/// Joins the parts: out = Σ acc · 2^(top_p − top) / Σ sum · 2^(top_p − top). A warp a vector.
/// Bytes: 4 · parts · vectors · (head_dim + 2), read twice, the second time from L2.
/// Model, not measured: 8 parts of 64 rows, 32 heads of 128; 8.5 MB; floor 3 µs; expected latency, 5 µs.
template <int = 0>  // a template, so that several units may include it
__global__ void __launch_bounds__(128) join_parts(Partials partials, AttentionShape shape, AttentionResult result) {
  const int vectors = shape.rows * shape.group, all = vectors * shape.kv_heads, d = shape.head_dim;
  const int item = static_cast<int>(blockIdx.x * 4 + threadIdx.x / 32), lane = static_cast<int>(threadIdx.x % 32);
  if (item >= all) return;
  const int kv_head = item / vectors, vector = item % vectors, row = vector / shape.group;
  const int head = kv_head * shape.group + vector % shape.group;
  const auto part = [&](int p) { return partials.data + (static_cast<std::int64_t>(p) * all + item) * (d + 2); };
  float top = -INFINITY, sum = 0;
  for (int p = 0; p < partials.parts; ++p) top = fmaxf(top, part(p)[d]);
  for (int p = 0; p < partials.parts; ++p) sum += part(p)[d + 1] * rescale(part(p)[d], top);
  if (result.out != nullptr) {
    float* out = result.out + row * result.out_stride + static_cast<std::int64_t>(head) * d;
    for (int column = lane; column < d; column += 32) {
      float value = 0;
      for (int p = 0; p < partials.parts; ++p) value += part(p)[column] * rescale(part(p)[d], top);
      out[column] = sum > 0 ? value / sum : 0.0F;
    }
  }
  if (lane != 0) return;
  if (result.lse != nullptr)
    result.lse[row * result.lse_stride + head] = sum > 0 ? kLn2 * (top + log2f(sum)) : -INFINITY;
  if (result.tops != nullptr) {
    result.tops[item] = top;
    result.sums[item] = sum;
  }
}

}  // namespace kvmend::gpu
