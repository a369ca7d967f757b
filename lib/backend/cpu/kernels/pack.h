#pragma once
// Gathering queries, keys and values into the layouts that the inner loops stream.
#include "backend/cpu/kernels/attention_args.h"
#include "backend/cpu/kernels/matmul.h"

namespace kvmend::KVMEND_LEVEL {

constexpr std::int64_t kKeys = 128;  // of one tile: K and V of 64 columns take 64 KiB
constexpr int kBlock = 24;           // vectors that meet a panel of keys while it is in the first level cache
constexpr float kLog2E = 1.44269504088896341F, kLn2 = 0.69314718055994531F;
constexpr float kInfinity = __builtin_inff();

static inline std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
static inline std::int64_t larger(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

template <class T>
static inline const T* head_row(const HeadRows& head, std::int32_t slot) {
  return slot >= 0 ? static_cast<const T*>(head.base) + slot * head.base_stride
                   : static_cast<const T*>(head.overlay) + (-static_cast<std::int64_t>(slot) - 1) * head.overlay_stride;
}

/// Queries of `rows` rows, scaled to base-2 logits: to[row · group + head][head_dim], zeros up to `padded` vectors.
static inline void pack_queries(const float* q, std::int64_t q_stride, std::int64_t rows, std::int64_t group,
                                std::int64_t head_dim, float scale, bool round, std::int64_t padded, float* to) {
  const std::int64_t width = group * head_dim;
  const Vec factor = splat(scale * kLog2E);
  const auto element = [&](Vec v) { return (round ? round_bf16(v) : v) * factor; };
  for (std::int64_t r = 0; r < rows; ++r) {
    std::int64_t c = 0;
    for (; c + kLanes <= width; c += kLanes) store(to + r * width + c, element(load(q + r * q_stride + c)));
    if (c < width) store_part(to + r * width + c, element(load_part(q + r * q_stride + c, width - c)), width - c);
  }
  for (std::int64_t i = rows * width; i < padded * head_dim; ++i) to[i] = 0;
}

/// Keys [begin, end) of the list as panels of kPanel keys: to[panel][head_dim][kPanel]; missing keys are zero.
template <class T>
static inline void pack_keys_as(const HeadRows& k, const std::int32_t* slots, std::int64_t begin, std::int64_t end,
                                std::int64_t head_dim, float* to) {
  for (std::int64_t key = begin; key < end; key += kLanes) {
    const T* rows[kLanes];
    for (int i = 0; i < kLanes; ++i) rows[i] = key + i < end ? head_row<T>(k, slots[key + i]) : nullptr;
    const std::int64_t at = key - begin;
    transpose_rows(rows, head_dim, to + at / kPanel * kPanel * head_dim + at % kPanel, kPanel);
  }
  const std::int64_t written = round_up(end - begin, kLanes);
  if (written % kPanel != 0)
    for (std::int64_t c = 0; c < head_dim; ++c)
      store(to + written / kPanel * kPanel * head_dim + c * kPanel + kLanes, Vec{});
}

static inline void round_in_place(float* values, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += kLanes) store(values + i, round_bf16(load(values + i)));
}

static inline void pack_keys(const HeadRows& k, const std::int32_t* slots, std::int64_t begin, std::int64_t end,
                             std::int64_t head_dim, float* to) {
  if (k.bf16) return pack_keys_as<std::uint16_t>(k, slots, begin, end, head_dim, to);
  pack_keys_as<float>(k, slots, begin, end, head_dim, to);
  if (k.round) round_in_place(to, round_up(end - begin, kPanel) * head_dim);
}

/// Values [begin, end) as panels of kPanel columns: to[panel][key][kPanel], kKeys keys to a panel. Keys up to the next
/// multiple of kPanel and columns past head_dim are zero.
template <class T>
static inline void pack_values_as(const HeadRows& v, const std::int32_t* slots, std::int64_t begin, std::int64_t end,
                                  std::int64_t head_dim, float* to) {
  const std::int64_t keys = end - begin, padded_keys = round_up(keys, kPanel), whole = head_dim / kLanes * kLanes;
  const std::int64_t vectors = round_up(head_dim, kPanel) / kLanes;
  const auto at = [to](std::int64_t key, std::int64_t vector) {
    return to + vector / 2 * kPanel * kKeys + key * kPanel + vector % 2 * kLanes;
  };
  for (std::int64_t key = 0; key < keys; ++key) {
    const T* row = head_row<T>(v, slots[begin + key]);
    std::int64_t vector = 0;
    for (; vector < whole / kLanes; ++vector) store(at(key, vector), load(row + vector * kLanes));
    if (whole < head_dim) store(at(key, vector++), load_part(row + whole, head_dim - whole));
    for (; vector < vectors; ++vector) store(at(key, vector), Vec{});
  }
  for (std::int64_t key = keys; key < padded_keys; ++key)
    for (std::int64_t vector = 0; vector < vectors; ++vector) store(at(key, vector), Vec{});
}

static inline void pack_values(const HeadRows& v, const std::int32_t* slots, std::int64_t begin, std::int64_t end,
                               std::int64_t head_dim, float* to) {
  if (v.bf16) return pack_values_as<std::uint16_t>(v, slots, begin, end, head_dim, to);
  pack_values_as<float>(v, slots, begin, end, head_dim, to);
  const std::int64_t keys = round_up(end - begin, kPanel);
  if (v.round)
    for (std::int64_t panel = 0; panel < round_up(head_dim, kPanel) / kPanel; ++panel)
      round_in_place(to + panel * kPanel * kKeys, keys * kPanel);
}

}  // namespace kvmend::KVMEND_LEVEL
