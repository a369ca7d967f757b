#pragma once
// Attention of one query row: keys and values are read where they lie, once, a few keys at a time.
#include "backend/cpu/kernels/attention.h"

namespace kvmend::KVMEND_LEVEL {

constexpr std::int64_t kDecodeKeys = 64;  // whose values stay in the first level cache while each head takes them
constexpr int kAhead = 12;                // rows fetched before they are needed: slots defeat the processor's guess

/// Rows of one type: float32, float32 that counts as rounded to bf16, or bf16.
template <class T, bool kRound>
struct Element {
  using Type = T;
  static Vec whole(const T* from) {
    const Vec v = load(from);
    return kRound ? round_bf16(v) : v;
  }
  static Vec part(const T* from, std::int64_t n) {
    const Vec v = load_part(from, n);
    return kRound ? round_bf16(v) : v;
  }
};

/// logits[i] = q · k[i] for N keys at once.
template <int N, class E>
static inline void dot_keys(const float* q, const typename E::Type* const* k, std::int64_t head_dim, float* logits) {
  Vec sum[N];
  for (int i = 0; i < N; ++i) sum[i] = Vec{};
  std::int64_t c = 0;
  for (; c + kLanes <= head_dim; c += kLanes) {
    const Vec qc = load(q + c);
    for (int i = 0; i < N; ++i) sum[i] = fma(qc, E::whole(k[i] + c), sum[i]);
  }
  if (c < head_dim) {
    const Vec qc = load_part(q + c, head_dim - c);
    for (int i = 0; i < N; ++i) sum[i] = fma(qc, E::part(k[i] + c, head_dim - c), sum[i]);
  }
  for (int i = 0; i < N; ++i) logits[i] = sum_lanes(sum[i]);
}

/// acc[0..V · kLanes) += Σ p[i] · v[i][column..]
template <int V, class E>
static inline void add_values(const float* p, const typename E::Type* const* v, std::int64_t keys, std::int64_t column,
                              float* acc) {
  Vec sum[V];
  for (int u = 0; u < V; ++u) sum[u] = load(acc + u * kLanes);
  for (std::int64_t i = 0; i < keys; ++i) {
    const Vec pi = splat(p[i]);
    for (int u = 0; u < V; ++u) sum[u] = fma(pi, E::whole(v[i] + column + u * kLanes), sum[u]);
  }
  for (int u = 0; u < V; ++u) store(acc + u * kLanes, sum[u]);
}

template <class E>
static inline void add_all_values(const float* p, const typename E::Type* const* v, std::int64_t keys,
                                  std::int64_t head_dim, float* acc) {
  std::int64_t c = 0;
  for (; c + 8 * kLanes <= head_dim; c += 8 * kLanes) add_values<8, E>(p, v, keys, c, acc + c);
  for (; c + 4 * kLanes <= head_dim; c += 4 * kLanes) add_values<4, E>(p, v, keys, c, acc + c);
  for (; c + kLanes <= head_dim; c += kLanes) add_values<1, E>(p, v, keys, c, acc + c);
  if (c == head_dim) return;
  Vec sum = load(acc + c);
  for (std::int64_t i = 0; i < keys; ++i) sum = fma(splat(p[i]), E::part(v[i] + c, head_dim - c), sum);
  store(acc + c, sum);
}

/// Asks for rows that are needed soon.
template <class T>
static inline void fetch_rows(const T* const* rows, std::int64_t begin, std::int64_t end, std::int64_t head_dim) {
  for (std::int64_t i = begin; i < end; ++i)
    for (std::int64_t c = 0; c < head_dim; c += 64 / static_cast<std::int64_t>(sizeof(T)))
      __builtin_prefetch(rows[i] + c);
}

/// Copies rows to float32 and points at the copies: several heads then take them without converting each time.
template <class E>
static inline void widen_rows(const typename E::Type* const* from, std::int64_t count, std::int64_t head_dim, float* to,
                              const float** rows) {
  for (std::int64_t i = 0; i < count; ++i, to += head_dim) {
    std::int64_t c = 0;
    for (; c + kLanes <= head_dim; c += kLanes) store(to + c, E::whole(from[i] + c));
    if (c < head_dim) store_part(to + c, E::part(from[i] + c, head_dim - c), head_dim - c);
    rows[i] = to;
  }
}

/// All heads of the group against a tile of keys: their logits, then what the values add.
template <class E>
static inline void decode_tile(const DecodePart& a, const float* queries, const typename E::Type* const* k,
                               const typename E::Type* const* v, std::int64_t tile, std::int64_t keys, float* logits) {
  const std::int64_t padded_dim = round_up(a.head_dim, kPanel);
  std::int64_t i = 0;
  for (; i + 4 <= keys; i += 4) {
    fetch_rows(k, smaller(i + kAhead, keys), smaller(i + kAhead + 4, keys), a.head_dim);
    fetch_rows(v, i, i + 4, a.head_dim);
    for (std::int64_t g = 0; g < a.group; ++g)
      dot_keys<4, E>(queries + g * a.head_dim, k + i, a.head_dim, logits + g * kKeys + i);
  }
  for (; i < keys; ++i)
    for (std::int64_t g = 0; g < a.group; ++g)
      dot_keys<1, E>(queries + g * a.head_dim, k + i, a.head_dim, logits + g * kKeys + i);
  const Range all{0, keys}, computed{0, round_up(keys, kLanes)};
  for (std::int64_t g = 0; g < a.group; ++g) {
    softmax_step(logits + g * kKeys, all, computed, a, tile, g, padded_dim);
    add_all_values<E>(logits + g * kKeys, v, keys, a.head_dim, a.result.acc + g * padded_dim);
  }
}

/// Floats: queries, logits, and a tile's keys and values widened.
static std::int64_t decode_scratch(std::int64_t group, std::int64_t head_dim) {
  return round_up(group * head_dim, 16) + group * kKeys + 2 * kDecodeKeys * head_dim;
}

template <class E>
static void decode_as(const DecodePart& a) {
  using Row = typename E::Type;
  using Plain = Element<float, false>;
  constexpr bool converts = !__is_same(E, Plain);
  float *queries = a.scratch, *logits = queries + round_up(a.group * a.head_dim, 16);
  float *wide_k = logits + a.group * kKeys, *wide_v = wide_k + kDecodeKeys * a.head_dim;
  pack_queries(a.q, a.q_stride, 1, a.group, a.head_dim, a.scale, a.round, a.group, queries);
  for (std::int64_t g = 0; g < a.group; ++g) a.result.top[g] = -kInfinity, a.result.sum[g] = 0;
  for (std::int64_t i = 0; i < a.group * round_up(a.head_dim, kPanel); i += kLanes) store(a.result.acc + i, Vec{});

  for (std::int64_t tile = a.key_begin; tile < a.key_end; tile += kDecodeKeys) {
    const std::int64_t keys = smaller(kDecodeKeys, a.key_end - tile);
    const Row *k[kDecodeKeys], *v[kDecodeKeys];
    for (std::int64_t i = 0; i < keys; ++i) {
      k[i] = head_row<Row>(a.k, a.slots[tile + i]);
      v[i] = head_row<Row>(a.v, a.slots[tile + i]);
    }
    fetch_rows(k, 0, smaller(kAhead, keys), a.head_dim);
    if (converts && a.group > 1) {
      const float *rows_k[kDecodeKeys], *rows_v[kDecodeKeys];
      fetch_rows(k, smaller(kAhead, keys), keys, a.head_dim);
      fetch_rows(v, 0, keys, a.head_dim);
      widen_rows<E>(k, keys, a.head_dim, wide_k, rows_k);
      widen_rows<E>(v, keys, a.head_dim, wide_v, rows_v);
      decode_tile<Plain>(a, queries, rows_k, rows_v, tile, keys, logits);
    } else {
      decode_tile<E>(a, queries, k, v, tile, keys, logits);
    }
  }
}

static void decode(const DecodePart& a) {
  if (a.k.bf16)
    decode_as<Element<std::uint16_t, false>>(a);
  else if (a.k.round)
    decode_as<Element<float, true>>(a);
  else
    decode_as<Element<float, false>>(a);
}

}  // namespace kvmend::KVMEND_LEVEL
