#pragma once
// Attention of one query row: keys and values are read where they lie, once, a few keys at a time.
#include "backend/cpu/kernels/attention.h"

namespace kvmend::KVMEND_LEVEL {

constexpr std::int64_t kDecodeKeys = 64;  // whose values stay in the first level cache while each head takes them
constexpr int kAhead = 12;                // rows fetched before they are needed: slots defeat the processor's guess

template <class T>
static inline Vec element(const T* row, std::int64_t c, std::int64_t n, bool round) {
  const Vec v = c + kLanes <= n ? load(row + c) : load_part(row + c, n - c);
  return sizeof(T) == sizeof(float) && round ? round_bf16(v) : v;
}

/// logits[i] = q · k[i] for N keys at once.
template <int N, class T>
static inline void dot_keys(const float* q, const T* const* k, std::int64_t head_dim, bool round, float* logits) {
  Vec sum[N] = {};
  for (std::int64_t c = 0; c < head_dim; c += kLanes) {
    const Vec qc = c + kLanes <= head_dim ? load(q + c) : load_part(q + c, head_dim - c);
    for (int i = 0; i < N; ++i) sum[i] = fma(qc, element(k[i], c, head_dim, round), sum[i]);
  }
  for (int i = 0; i < N; ++i) logits[i] = sum_lanes(sum[i]);
}

/// acc[c..] += Σ p[i] · v[i][c..] for V vectors of columns.
template <int V, class T>
static inline void add_values(const float* p, const T* const* v, std::int64_t keys, std::int64_t c, std::int64_t head_dim,
                              bool round, float* acc) {
  Vec sum[V];
  for (int u = 0; u < V; ++u) sum[u] = load(acc + c + u * kLanes);
  for (std::int64_t i = 0; i < keys; ++i) {
    const Vec pi = splat(p[i]);
    for (int u = 0; u < V; ++u) sum[u] = fma(pi, element(v[i], c + u * kLanes, head_dim, round), sum[u]);
  }
  for (int u = 0; u < V; ++u) store(acc + c + u * kLanes, sum[u]);
}

template <class T>
static inline void decode_as(const DecodePart& a) {
  const std::int64_t padded_dim = round_up(a.head_dim, kPanel);
  float *queries = a.scratch, *logits = a.scratch + round_up(a.group * a.head_dim, 16);
  pack_queries(a.q, a.q_stride, 1, a.group, a.head_dim, a.scale, a.round, a.group, queries);
  for (std::int64_t g = 0; g < a.group; ++g) a.result.top[g] = -kInfinity, a.result.sum[g] = 0;
  for (std::int64_t i = 0; i < a.group * padded_dim; i += kLanes) store(a.result.acc + i, Vec{});

  for (std::int64_t tile = a.key_begin; tile < a.key_end; tile += kDecodeKeys) {
    const std::int64_t keys = smaller(kDecodeKeys, a.key_end - tile);
    const T *k[kDecodeKeys], *v[kDecodeKeys];
    for (std::int64_t i = 0; i < keys; ++i) {
      k[i] = head_row<T>(a.k, a.slots[tile + i]);
      v[i] = head_row<T>(a.v, a.slots[tile + i]);
    }
    const Range all{0, keys}, computed{0, round_up(keys, kLanes)};
    std::int64_t i = 0;
    for (; i + 4 <= keys; i += 4) {
      for (std::int64_t ahead = i + kAhead; ahead < smaller(i + kAhead + 4, keys); ++ahead)
        for (std::int64_t c = 0; c < a.head_dim; c += 64 / static_cast<std::int64_t>(sizeof(T)))
          __builtin_prefetch(k[ahead] + c);
      for (std::int64_t g = 0; g < a.group; ++g)
        dot_keys<4>(queries + g * a.head_dim, k + i, a.head_dim, a.k.round, logits + g * kKeys + i);
    }
    for (; i < keys; ++i)
      for (std::int64_t g = 0; g < a.group; ++g)
        dot_keys<1>(queries + g * a.head_dim, k + i, a.head_dim, a.k.round, logits + g * kKeys + i);
    for (std::int64_t g = 0; g < a.group; ++g) softmax_step(logits + g * kKeys, all, computed, a, tile, g, padded_dim);
    for (std::int64_t g = 0; g < a.group; ++g) {
      float* acc = a.result.acc + g * padded_dim;
      std::int64_t c = 0;
      for (; c + 8 * kLanes <= a.head_dim; c += 8 * kLanes)
        add_values<8>(logits + g * kKeys, v, keys, c, a.head_dim, a.v.round, acc);
      for (; c + 4 * kLanes <= a.head_dim; c += 4 * kLanes)
        add_values<4>(logits + g * kKeys, v, keys, c, a.head_dim, a.v.round, acc);
      for (; c < a.head_dim; c += kLanes) add_values<1>(logits + g * kKeys, v, keys, c, a.head_dim, a.v.round, acc);
    }
  }
}

static std::int64_t decode_scratch(std::int64_t group, std::int64_t head_dim) {
  return round_up(group * head_dim, 16) + group * kKeys;
}

static void decode(const DecodePart& a) {
  if (a.k.bf16)
    decode_as<std::uint16_t>(a);
  else
    decode_as<float>(a);
}

}  // namespace kvmend::KVMEND_LEVEL
