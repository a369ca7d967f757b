#pragma once
// Attention mass: the softmax matrix's column statistics, a tile of keys at a time, from row sums found before.
#include "backend/cpu/kernels/attention_pairs.h"

namespace kvmend::KVMEND_LEVEL {

struct MassScratch {
  float *queries, *keys, *logits, *row;
  std::int64_t block_rows, size;
};

/// Rows go in blocks whose vectors of one KV head fill kBlock; a group larger than that is a block of one row.
static inline MassScratch mass_layout(float* scratch, std::int64_t kv_heads, std::int64_t group,
                                      std::int64_t head_dim) {
  const std::int64_t block_rows = larger(1, kBlock / group), padded = round_up(block_rows * group, kTileRows);
  const std::int64_t pairs = padded / kTileRows * packed_block_words(steps_of(head_dim, true));
  const std::int64_t queries = round_up(larger(padded * head_dim, pairs), 16), keys = kv_heads * kKeys * head_dim;
  const std::int64_t logits = padded * kKeys, row = block_rows * kKeys;
  return {scratch,
          scratch + queries,
          scratch + queries + keys,
          scratch + queries + keys + logits,
          block_rows,
          queries + keys + logits + row};
}

static std::int64_t mass_scratch(std::int64_t kv_heads, std::int64_t group, std::int64_t head_dim) {
  return mass_layout(nullptr, kv_heads, group, head_dim).size;
}

/// row[seen] += 2^(logit − top) · weight
static inline void add_probabilities(const float* logits, Range seen, float top, float weight, float* row) {
  std::int64_t i = seen.begin;
  for (; i + kLanes <= seen.end; i += kLanes)
    store(row + i, load(row + i) + exp2_nonpositive(load(logits + i) - top) * weight);
  if (i < seen.end) {
    const std::int64_t n = seen.end - i;
    store_part(row + i, load_part(row + i, n) + exp2_nonpositive(load_part(logits + i, n) - top) * weight, n);
  }
}

/// out[seen] takes in one query row.
static inline void reduce_row(const float* row, Range seen, int how, float* out) {
  for (std::int64_t i = seen.begin; i < seen.end; ++i) {
    const float p = row[i];
    out[i] = how == 1 ? (p > out[i] ? p : out[i]) : out[i] + (how == 2 ? p * p : p);
  }
}

static void mass(const MassTile& a) {
  const MassScratch s = mass_layout(a.scratch, a.kv_heads, a.group, a.head_dim);
  const std::int64_t keys = a.key_end - a.key_begin, width = a.group * a.head_dim;
  const bool pairs = kUsesPairs && a.round && a.k.bf16;
  const std::int64_t head_words = steps_of(a.head_dim, pairs);
  for (std::int64_t i = 0; i < keys; ++i) a.out[i] = 0;
  if (seen_panels(a.intervals, a.rows, a.key_begin, a.key_end).empty()) return;
  for (std::int64_t h = 0; h < a.kv_heads; ++h) {
    HeadRows k = a.k;
    const std::int64_t bytes = h * a.head_dim * (k.bf16 ? 2 : 4);
    if (k.base != nullptr) k.base = static_cast<const char*>(k.base) + bytes;
    if (k.overlay != nullptr) k.overlay = static_cast<const char*>(k.overlay) + bytes;
    float* keys_of_head = s.keys + h * kKeys * head_words;
    if (pairs)
      pack_key_pairs(k, a.slots, a.key_begin, a.key_end, a.head_dim, keys_of_head);
    else
      pack_keys(k, a.slots, a.key_begin, a.key_end, a.head_dim, keys_of_head);
  }
  for (std::int64_t first = 0; first < a.rows; first += s.block_rows) {
    const std::int64_t rows = smaller(s.block_rows, a.rows - first), vectors = rows * a.group;
    const std::int32_t* intervals = a.intervals + 2 * first;
    const Range computed = seen_panels(intervals, rows, a.key_begin, a.key_end);
    if (computed.empty()) continue;
    for (std::int64_t i = 0; i < rows * kKeys; ++i) s.row[i] = 0;
    for (std::int64_t h = 0; h < a.kv_heads; ++h) {
      const float *q = a.q + first * a.q_stride + h * width, *keys_of_head = s.keys + h * kKeys * head_words;
      if (pairs) {
        pack_query_pairs(q, a.q_stride, rows, a.group, a.head_dim, s.queries);
        score_pairs_block(s.queries, vectors, a.head_dim, keys_of_head, computed, splat(a.scale * kLog2E), s.logits);
      } else {
        pack_queries(q, a.q_stride, rows, a.group, a.head_dim, a.scale, a.round, round_up(vectors, kTileRows),
                     s.queries);
        score_block(s.queries, vectors, a.head_dim, keys_of_head, computed, s.logits);
      }
      for (std::int64_t v = 0; v < vectors; ++v) {
        const std::int64_t r = v / a.group, total = h * a.rows * a.group + first * a.group + v;
        const Range seen = intersect(intervals[2 * r], intervals[2 * r + 1], a.key_begin, a.key_end);
        if (!seen.empty())
          add_probabilities(s.logits + v * kKeys, seen, a.top[total], a.head_weight / a.sum[total], s.row + r * kKeys);
      }
    }
    for (std::int64_t r = 0; r < rows; ++r)
      reduce_row(s.row + r * kKeys, intersect(intervals[2 * r], intervals[2 * r + 1], a.key_begin, a.key_end),
                 a.row_reduce, a.out);
  }
  if (a.row_reduce == 2)
    for (std::int64_t i = 0; i < keys; ++i) a.out[i] = __builtin_sqrtf(a.out[i]);
}

}  // namespace kvmend::KVMEND_LEVEL
