#pragma once
// The same attention where the processor multiplies pairs of bf16: queries, keys, probabilities and values are packed
// as pairs along the sum of their product, and logits are scaled after it.
#include "backend/cpu/kernels/attention.h"
#include "backend/cpu/kernels/words.h"

namespace kvmend::KVMEND_LEVEL {

constexpr std::int64_t kKeyPairs = kKeys / 2;

/// logits[i][·] = factor · q[i] · keys for a block of kTileRows vectors ([step][kTileRows]) and one panel of keys.
static inline void score_pairs(const float* q, const float* keys, std::int64_t steps, Vec factor, float* logits) {
  Vec s[kTileRows][2];
  for (int i = 0; i < kTileRows; ++i) s[i][0] = s[i][1] = Vec{};
  for (std::int64_t step = 0; step < steps; ++step) {
    const Vec k0 = load(keys + step * kPanel), k1 = load(keys + step * kPanel + kLanes);
    for (int i = 0; i < kTileRows; ++i) {
      const Vec qi = splat_word(q + step * kTileRows + i);
      s[i][0] = dot_pairs(qi, k0, s[i][0]);
      s[i][1] = dot_pairs(qi, k1, s[i][1]);
    }
  }
  for (int i = 0; i < kTileRows; ++i) {
    store(logits + i * kKeys, s[i][0] * factor);
    store(logits + i * kKeys + kLanes, s[i][1] * factor);
  }
}

/// acc[i][·] += p[i][0..pairs) · values for kTileRows vectors and one panel of columns.
static inline void value_pairs(const float* p, const float* values, std::int64_t pairs, float* acc,
                               std::int64_t acc_stride) {
  Vec s[kTileRows][2];
  for (int i = 0; i < kTileRows; ++i) {
    s[i][0] = load(acc + i * acc_stride);
    s[i][1] = load(acc + i * acc_stride + kLanes);
  }
  for (std::int64_t pair = 0; pair < pairs; ++pair) {
    const Vec v0 = load(values + pair * kPanel), v1 = load(values + pair * kPanel + kLanes);
    for (int i = 0; i < kTileRows; ++i) {
      const Vec pi = splat_word(p + i * kKeyPairs + pair);
      s[i][0] = dot_pairs(pi, v0, s[i][0]);
      s[i][1] = dot_pairs(pi, v1, s[i][1]);
    }
  }
  for (int i = 0; i < kTileRows; ++i) {
    store(acc + i * acc_stride, s[i][0]);
    store(acc + i * acc_stride + kLanes, s[i][1]);
  }
}

/// The words of a bf16 row of `count` elements from `word` on, zero past its end.
static inline Vec load_pairs(const std::uint16_t* row, std::int64_t count, std::int64_t word) {
  Vec v = {};
  const std::int64_t rest = count - 2 * word;
  if (rest >= 2 * kLanes) {
    __builtin_memcpy(&v, row + 2 * word, sizeof v);
  } else if (rest > 0) {
    std::uint16_t some[2 * kLanes] = {};
    for (std::int64_t i = 0; i < rest; ++i) some[i] = row[2 * word + i];
    __builtin_memcpy(&v, some, sizeof v);
  }
  return v;
}

/// Keys [begin, end) of the list as panels: to[panel][step][kPanel]; missing keys are zero.
static inline void pack_key_pairs(const HeadRows& k, const std::int32_t* slots, std::int64_t begin, std::int64_t end,
                                  std::int64_t head_dim, float* to) {
  const std::int64_t steps = steps_of(head_dim, true);
  for (std::int64_t key = begin; key < round_up(end - begin, kPanel) + begin; key += kLanes) {
    const std::int64_t at = key - begin;
    float* panel = to + at / kPanel * kPanel * steps + at % kPanel;
    const std::uint16_t* rows[kLanes];
    for (int i = 0; i < kLanes; ++i) rows[i] = key + i < end ? head_row<std::uint16_t>(k, slots[key + i]) : nullptr;
    for (std::int64_t step = 0; step < steps; step += kLanes) {
      Vec r[kLanes];
      for (int i = 0; i < kLanes; ++i) r[i] = rows[i] != nullptr ? load_pairs(rows[i], head_dim, step) : Vec{};
      transpose(r);
      const std::int64_t n = smaller(kLanes, steps - step);
      for (int i = 0; i < n; ++i) store(panel + (step + i) * kPanel, r[i]);
    }
  }
}

/// Values [begin, end) as panels of kPanel columns: to[panel][pair of keys][kPanel], kKeyPairs to a panel. Keys up to
/// the next multiple of kPanel and columns past head_dim are zero.
static inline void pack_value_pairs(const HeadRows& v, const std::int32_t* slots, std::int64_t begin, std::int64_t end,
                                    std::int64_t head_dim, float* to) {
  const std::int64_t keys = end - begin, padded_dim = round_up(head_dim, kPanel);
  static const std::uint16_t zeros[kLanes] = {};
  for (std::int64_t key = 0; key < round_up(keys, kPanel); key += 2) {
    const std::uint16_t* low = key < keys ? head_row<std::uint16_t>(v, slots[begin + key]) : nullptr;
    const std::uint16_t* high = key + 1 < keys ? head_row<std::uint16_t>(v, slots[begin + key + 1]) : nullptr;
    for (std::int64_t c = 0; c < padded_dim; c += kLanes) {
      const auto read = [c, head_dim](const std::uint16_t* row) {
        if (row == nullptr || c >= head_dim) return bits_of(load(zeros));
        return bits_of(c + kLanes <= head_dim ? load(row + c) : load_part(row + c, head_dim - c));
      };
      store(to + c / kPanel * kPanel * kKeyPairs + key / 2 * kPanel + c % kPanel,
            from_bits((read(low) >> 16) | read(high)));
    }
  }
}

/// exponentiate() with the probabilities rounded to bf16 in `p`.
static inline float exponentiate_pairs(const float* logits, Range seen, Range computed, float top, std::uint16_t* p) {
  const std::int64_t first = seen.begin / kLanes * kLanes, last = round_up(seen.end, kLanes);
  const auto clear = [p](std::int64_t begin, std::int64_t end) {
    const Halves none = {};
    for (std::int64_t i = begin; i < end; i += kLanes) __builtin_memcpy(p + i, &none, sizeof none);
  };
  clear(computed.begin, first);
  clear(last, computed.end);
  Vec sum = {};
  for (std::int64_t i = first; i < last; i += kLanes) {
    const Vec e = exp2_nonpositive(load(logits + i) - top);
    sum += e;
    store_bf16(p + i, e);
  }
  return sum_lanes(sum);
}

struct PairScratch {
  float *queries, *keys, *values, *logits, *probabilities;
  std::int64_t block_words, size;
};

static inline PairScratch pair_layout(float* scratch, std::int64_t vectors, std::int64_t head_dim) {
  const std::int64_t steps = steps_of(head_dim, true), block = packed_block_words(steps);
  const std::int64_t queries = round_up(vectors, kTileRows) / kTileRows * block, keys = round_up(kKeys * steps, 16);
  const std::int64_t values = kKeyPairs * round_up(head_dim, kPanel), logits = kBlock * kKeys, p = kBlock * kKeyPairs;
  float *k = scratch + queries, *v = k + keys, *l = v + values;
  return {scratch, k, v, l, l + logits, block, queries + keys + values + logits + p};
}

/// Queries of `rows` rows: group · rows vectors, kTileRows together in a block.
static inline void pack_query_pairs(const float* queries, std::int64_t stride, std::int64_t rows, std::int64_t group,
                                    std::int64_t head_dim, float* packed) {
  const std::int64_t vectors = rows * group, steps = steps_of(head_dim, true), words = packed_block_words(steps);
  for (std::int64_t first = 0; first < vectors; first += kTileRows)
    for (std::int64_t step = 0; step < steps; step += kLanes) {
      constexpr int kGroups = (kTileRows + kLanes - 1) / kLanes;
      Vec r[kGroups][kLanes];
      for (int g = 0; g < kGroups; ++g) {
        for (int i = 0; i < kLanes; ++i) {
          const std::int64_t at = g * kLanes + i, vector = first + at;
          const float* q = queries + vector / group * stride + vector % group * head_dim;
          r[g][i] = at < kTileRows && vector < vectors ? load_words<true>(q, head_dim, step) : Vec{};
        }
        transpose(r[g]);
      }
      float* to = packed + first / kTileRows * words + step * kTileRows;
      const std::int64_t n = smaller(kLanes, steps - step);
      for (int i = 0; i < n; ++i)
        for (int g = 0; g < kGroups; ++g) store(to + i * kTileRows + g * kLanes, r[g][i]);
    }
}

/// Logits of a block of vectors: [kBlock][kKeys], the columns `computed` of it.
static inline void score_pairs_block(const float* q, std::int64_t vectors, std::int64_t head_dim, const float* keys,
                                     Range computed, Vec factor, float* logits) {
  const std::int64_t steps = steps_of(head_dim, true), words = packed_block_words(steps);
  for (std::int64_t panel = computed.begin; panel < computed.end; panel += kPanel)
    for (std::int64_t v = 0; v < vectors; v += kTileRows)
      score_pairs(q + v / kTileRows * words, keys + panel * steps, steps, factor, logits + v * kKeys + panel);
}

static void attend_pairs(const AttentionTile& a) {
  const std::int64_t vectors = a.rows * a.group, padded = round_up(vectors, kTileRows);
  const std::int64_t padded_dim = round_up(a.head_dim, kPanel), steps = steps_of(a.head_dim, true);
  const PairScratch s = pair_layout(a.scratch, vectors, a.head_dim);
  const Vec factor = splat(a.scale * kLog2E);
  const bool values = a.result.acc != nullptr;
  pack_query_pairs(a.q, a.q_stride, a.rows, a.group, a.head_dim, s.queries);
  for (std::int64_t v = 0; v < vectors; ++v) a.result.top[v] = -kInfinity, a.result.sum[v] = 0;
  if (values)
    for (std::int64_t i = 0; i < padded * padded_dim; i += kLanes) store(a.result.acc + i, Vec{});

  for (std::int64_t tile = a.key_begin; tile < a.key_end; tile += kKeys) {
    const std::int64_t tile_end = smaller(tile + kKeys, a.key_end);
    const Range packed = seen_panels(a.intervals, a.rows, tile, tile_end);
    if (packed.empty()) continue;
    const std::int64_t from = tile + packed.begin, to = smaller(tile + packed.end, tile_end);
    pack_key_pairs(a.k, a.slots, from, to, a.head_dim, s.keys + packed.begin * steps);
    if (values) pack_value_pairs(a.v, a.slots, from, to, a.head_dim, s.values + packed.begin / 2 * kPanel);

    for (std::int64_t v = 0; v < vectors; v += kBlock) {
      const std::int64_t block = smaller(kBlock, vectors - v);
      const std::int64_t first_row = v / a.group, last_row = (v + block - 1) / a.group;
      const Range computed = seen_panels(a.intervals + 2 * first_row, last_row - first_row + 1, tile, tile_end);
      if (computed.empty()) continue;
      score_pairs_block(s.queries + v / kTileRows * s.block_words, block, a.head_dim, s.keys, computed, factor,
                        s.logits);
      auto* p = reinterpret_cast<std::uint16_t*>(s.probabilities);
      for (std::int64_t i = 0; i < block; ++i) {
        const std::int32_t* interval = a.intervals + 2 * ((v + i) / a.group);
        const Range seen = intersect(interval[0], interval[1], tile, tile_end);
        if (seen.empty()) {
          for (std::int64_t c = computed.begin; c < computed.end; ++c) p[i * kKeys + c] = 0;
          continue;
        }
        float* logits = s.logits + i * kKeys;
        raise_top(logits, seen, a, tile, v + i, padded_dim);
        a.result.sum[v + i] += exponentiate_pairs(logits, seen, computed, a.result.top[v + i], p + i * kKeys);
      }
      if (!values) continue;
      for (std::int64_t c = 0; c < padded_dim; c += kPanel)
        for (std::int64_t i = 0; i < block; i += kTileRows)
          value_pairs(s.probabilities + i * kKeyPairs + computed.begin / 2,
                      s.values + c * kKeyPairs + computed.begin / 2 * kPanel, (computed.end - computed.begin) / 2,
                      a.result.acc + (v + i) * padded_dim + c, padded_dim);
    }
  }
}

/// Pairs where the kernels multiply them and the cache holds them; float32 else.
static void attend_best(const AttentionTile& a) {
  if (kUsesPairs && a.round && a.k.bf16 && (a.result.acc == nullptr || a.v.bf16))
    attend_pairs(a);
  else
    attend(a);
}

static std::int64_t attention_scratch(std::int64_t vectors, std::int64_t head_dim) {
  return larger(attention_layout(nullptr, vectors, head_dim).size, pair_layout(nullptr, vectors, head_dim).size);
}

}  // namespace kvmend::KVMEND_LEVEL
