#pragma once
// Row-subset attention in tiles: kBlock vectors (query row and head) meet kKeys keys at a time, with the softmax of
// what they have seen so far kept beside the output (online softmax, arXiv 1805.02867; tiles, arXiv 2205.14135).
// Probabilities are powers of two relative to an integer (`top`), so that moving it is exact: a row's bits depend on
// its own keys and on the tiles of kKeys that they lie in, not on which rows it is computed with.
#include "backend/cpu/kernels/exp.h"
#include "backend/cpu/kernels/pack.h"

namespace kvmend::KVMEND_LEVEL {

/// logits[i][·] = q[i] · keys for kTileRows vectors and one panel of keys.
static inline void score_tile(const float* q, const float* keys, std::int64_t head_dim, float* logits) {
  Vec s[kTileRows][2];
  for (int i = 0; i < kTileRows; ++i) s[i][0] = s[i][1] = Vec{};
  for (std::int64_t c = 0; c < head_dim; ++c) {
    const Vec k0 = load(keys + c * kPanel), k1 = load(keys + c * kPanel + kLanes);
    for (int i = 0; i < kTileRows; ++i) {
      const Vec qi = splat(q[i * head_dim + c]);
      s[i][0] = fma(qi, k0, s[i][0]);
      s[i][1] = fma(qi, k1, s[i][1]);
    }
  }
  for (int i = 0; i < kTileRows; ++i) {
    store(logits + i * kKeys, s[i][0]);
    store(logits + i * kKeys + kLanes, s[i][1]);
  }
}

/// acc[i][·] += p[i][0..keys) · values for kTileRows vectors and one panel of columns.
static inline void value_tile(const float* p, const float* values, std::int64_t keys, float* acc,
                              std::int64_t acc_stride) {
  Vec s[kTileRows][2];
  for (int i = 0; i < kTileRows; ++i) {
    s[i][0] = load(acc + i * acc_stride);
    s[i][1] = load(acc + i * acc_stride + kLanes);
  }
  for (std::int64_t key = 0; key < keys; ++key) {
    const Vec v0 = load(values + key * kPanel), v1 = load(values + key * kPanel + kLanes);
    for (int i = 0; i < kTileRows; ++i) {
      const Vec pi = splat(p[i * kKeys + key]);
      s[i][0] = fma(pi, v0, s[i][0]);
      s[i][1] = fma(pi, v1, s[i][1]);
    }
  }
  for (int i = 0; i < kTileRows; ++i) {
    store(acc + i * acc_stride, s[i][0]);
    store(acc + i * acc_stride + kLanes, s[i][1]);
  }
}

/// A range of a tile's keys, relative to the tile.
struct Range {
  std::int64_t begin, end;
  bool empty() const { return begin >= end; }
};

static inline Range intersect(std::int64_t begin, std::int64_t end, std::int64_t tile_begin, std::int64_t tile_end) {
  return {larger(begin, tile_begin) - tile_begin, smaller(end, tile_end) - tile_begin};
}

static inline void temper_logits(float* logits, Range seen, const TemperArgs& t, std::int64_t tile) {
  const Range range = intersect(t.begin, t.end, tile + seen.begin, tile + seen.end);
  for (std::int64_t i = seen.begin + range.begin; i < seen.begin + range.end; ++i)
    logits[i] = logits[i] * t.scale + t.shift * kLog2E;
}

/// The largest of logits[seen], after the rest of the vectors that `seen` lies in is set to −inf.
static inline float masked_max(float* logits, Range seen) {
  const std::int64_t first = seen.begin / kLanes * kLanes, last = round_up(seen.end, kLanes);
  for (std::int64_t i = first; i < seen.begin; ++i) logits[i] = -kInfinity;
  for (std::int64_t i = seen.end; i < last; ++i) logits[i] = -kInfinity;
  Vec top = load(logits + first);
  for (std::int64_t i = first + kLanes; i < last; i += kLanes) top = max(top, load(logits + i));
  return max_lanes(top);
}

/// logits[seen] → 2^(logit − top) in place, zeros in the rest of `computed`; returns their sum. A key's lane is its
/// position in the tile, so that the order of additions is the tile's and not the row's.
static inline float exponentiate(float* logits, Range seen, Range computed, float top, bool round) {
  const std::int64_t first = seen.begin / kLanes * kLanes, last = round_up(seen.end, kLanes);
  for (std::int64_t i = computed.begin; i < first; i += kLanes) store(logits + i, Vec{});
  for (std::int64_t i = last; i < computed.end; i += kLanes) store(logits + i, Vec{});
  Vec sum = {};
  for (std::int64_t i = first; i < last; i += kLanes) {
    const Vec p = exp2_nonpositive(load(logits + i) - top);
    sum += p;
    store(logits + i, round ? round_bf16(p) : p);
  }
  return sum_lanes(sum);
}

/// 2^n for an integer n ≤ 0; 0 where that is no normal number (−inf too).
static inline float power_of_two(float n) {
  return n < -126 ? 0.0F : __builtin_bit_cast(float, static_cast<std::int32_t>(n + 127) << 23);
}

static inline void scale_row(float* row, float factor, std::int64_t count) {
  for (std::int64_t c = 0; c < count; c += kLanes) store(row + c, load(row + c) * factor);
}

/// Tempers a vector's logits and moves its top up to theirs.
static inline void raise_top(float* logits, Range seen, const AttentionTile& a, std::int64_t tile, std::int64_t vector,
                             std::int64_t padded_dim) {
  if (a.temper.begin < a.temper.end) temper_logits(logits, seen, a.temper, tile);
  float &top = a.result.top[vector], &sum = a.result.sum[vector];
  const float here = __builtin_ceilf(masked_max(logits, seen));
  if (!(here <= top)) {  // NaN too
    const float factor = power_of_two(top - here);
    sum *= factor;
    if (a.result.acc != nullptr) scale_row(a.result.acc + vector * padded_dim, factor, padded_dim);
    top = here;
  }
}

/// Turns a vector's logits into probabilities and accounts for them in its partial result.
static inline void softmax_step(float* logits, Range seen, Range computed, const AttentionTile& a, std::int64_t tile,
                                std::int64_t vector, std::int64_t padded_dim) {
  raise_top(logits, seen, a, tile, vector, padded_dim);
  a.result.sum[vector] += exponentiate(logits, seen, computed, a.result.top[vector], a.round);
}

/// Keys of the tile [begin, end) that some of the rows see, relative to it, in whole panels.
static inline Range seen_panels(const std::int32_t* intervals, std::int64_t rows, std::int64_t begin,
                                std::int64_t end) {
  Range all{end - begin, 0};
  for (std::int64_t r = 0; r < rows; ++r) {
    const Range seen = intersect(intervals[2 * r], intervals[2 * r + 1], begin, end);
    if (seen.empty()) continue;
    all = {smaller(all.begin, seen.begin), larger(all.end, seen.end)};
  }
  if (all.empty()) return {0, 0};
  return {all.begin / kPanel * kPanel, round_up(all.end, kPanel)};
}

/// Logits of a block of vectors: [kBlock][kKeys], the columns `computed` of it.
static inline void score_block(const float* q, std::int64_t vectors, std::int64_t head_dim, const float* keys,
                               Range computed, float* logits) {
  for (std::int64_t panel = computed.begin; panel < computed.end; panel += kPanel)
    for (std::int64_t v = 0; v < vectors; v += kTileRows)
      score_tile(q + v * head_dim, keys + panel * head_dim, head_dim, logits + v * kKeys + panel);
}

struct AttentionScratch {
  float *queries, *keys, *values, *logits;
  std::int64_t size;
};

static inline AttentionScratch attention_layout(float* scratch, std::int64_t vectors, std::int64_t head_dim) {
  const std::int64_t queries = round_up(round_up(vectors, kTileRows) * head_dim, 16), keys = kKeys * head_dim;
  const std::int64_t values = kKeys * round_up(head_dim, kPanel), logits = kBlock * kKeys;
  return {scratch, scratch + queries, scratch + queries + keys, scratch + queries + keys + values,
          queries + keys + values + logits};
}

static void attend(const AttentionTile& a) {
  const std::int64_t vectors = a.rows * a.group, padded = round_up(vectors, kTileRows);
  const std::int64_t padded_dim = round_up(a.head_dim, kPanel);
  const AttentionScratch s = attention_layout(a.scratch, vectors, a.head_dim);
  pack_queries(a.q, a.q_stride, a.rows, a.group, a.head_dim, a.scale, a.round, padded, s.queries);
  for (std::int64_t v = 0; v < vectors; ++v) a.result.top[v] = -kInfinity, a.result.sum[v] = 0;
  if (a.result.acc != nullptr)
    for (std::int64_t i = 0; i < padded * padded_dim; i += kLanes) store(a.result.acc + i, Vec{});

  for (std::int64_t tile = a.key_begin; tile < a.key_end; tile += kKeys) {
    const std::int64_t tile_end = smaller(tile + kKeys, a.key_end);
    const Range packed = seen_panels(a.intervals, a.rows, tile, tile_end);
    if (packed.empty()) continue;
    const std::int64_t from = tile + packed.begin, to = smaller(tile + packed.end, tile_end);
    pack_keys(a.k, a.slots, from, to, a.head_dim, s.keys + packed.begin * a.head_dim);
    if (a.result.acc != nullptr) pack_values(a.v, a.slots, from, to, a.head_dim, s.values + packed.begin * kPanel);

    for (std::int64_t v = 0; v < vectors; v += kBlock) {
      const std::int64_t block = smaller(kBlock, vectors - v);
      const std::int64_t first_row = v / a.group, last_row = (v + block - 1) / a.group;
      const Range computed = seen_panels(a.intervals + 2 * first_row, last_row - first_row + 1, tile, tile_end);
      if (computed.empty()) continue;
      score_block(s.queries + v * a.head_dim, block, a.head_dim, s.keys, computed, s.logits);
      for (std::int64_t i = 0; i < block; ++i) {
        const std::int32_t* interval = a.intervals + 2 * ((v + i) / a.group);
        const Range seen = intersect(interval[0], interval[1], tile, tile_end);
        if (seen.empty())
          for (std::int64_t c = computed.begin; c < computed.end; c += kLanes) store(s.logits + i * kKeys + c, Vec{});
        else
          softmax_step(s.logits + i * kKeys, seen, computed, a, tile, v + i, padded_dim);
      }
      if (a.result.acc == nullptr) continue;
      for (std::int64_t c = 0; c < padded_dim; c += kPanel)
        for (std::int64_t i = 0; i < block; i += kTileRows)
          value_tile(s.logits + i * kKeys + computed.begin, s.values + c * kKeys + computed.begin * kPanel,
                     computed.end - computed.begin, a.result.acc + (v + i) * padded_dim + c, padded_dim);
    }
  }
}

/// Adds the keys of `from` to `into`. Splits of the keys are merged in their order.
static void merge(const AttentionPartial& into, const AttentionPartial& from, std::int64_t vectors,
                  std::int64_t head_dim) {
  const std::int64_t padded_dim = round_up(head_dim, kPanel);
  for (std::int64_t v = 0; v < vectors; ++v) {
    if (from.top[v] == -kInfinity) continue;
    const float top = into.top[v] > from.top[v] ? into.top[v] : from.top[v];
    const float ours = power_of_two(into.top[v] - top), theirs = power_of_two(from.top[v] - top);
    into.sum[v] = into.sum[v] * ours + from.sum[v] * theirs;
    into.top[v] = top;
    if (into.acc == nullptr) continue;
    float* to = into.acc + v * padded_dim;
    const float* add = from.acc + v * padded_dim;
    for (std::int64_t c = 0; c < padded_dim; c += kLanes) store(to + c, load(to + c) * ours + load(add + c) * theirs);
  }
}

/// Divides by the sums: out [rows, group · head_dim], lse [rows, group] in natural logarithms, or null.
static void finish(const AttentionPartial& partial, std::int64_t rows, std::int64_t group, std::int64_t head_dim,
                   float* out, std::int64_t out_stride, float* lse, std::int64_t lse_stride) {
  const std::int64_t padded_dim = round_up(head_dim, kPanel);
  for (std::int64_t v = 0; v < rows * group; ++v) {
    const float sum = partial.sum[v];
    const float* acc = partial.acc + v * padded_dim;
    float* to = out + v / group * out_stride + v % group * head_dim;
    const float factor = sum != 0 ? 1 / sum : 0.0F;  // a row that sees nothing is 0
    std::int64_t c = 0;
    for (; c + kLanes <= head_dim; c += kLanes) store(to + c, load(acc + c) * factor);
    if (c < head_dim) store_part(to + c, load(acc + c) * factor, head_dim - c);
    if (lse != nullptr)
      lse[v / group * lse_stride + v % group] = sum != 0 ? kLn2 * (partial.top[v] + __builtin_log2f(sum)) : -kInfinity;
  }
}

}  // namespace kvmend::KVMEND_LEVEL
