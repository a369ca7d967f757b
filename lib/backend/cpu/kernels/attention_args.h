#pragma once
#include <cstdint>

namespace kvmend {

/// One KV head of the keys or of the values: rows of two stores, picked by the list of slots (KvView).
struct HeadRows {
  const void* base;
  const void* overlay;
  std::int64_t base_stride, overlay_stride;  ///< elements
  bool bf16;                                 ///< stored type
  bool round;                                ///< float32 rows that count as rounded to bf16
};

/// Logits of list entries [begin, end) become logit · scale + shift; none where begin = end.
struct TemperArgs {
  std::int32_t begin, end;
  float scale, shift;
};

/// Softmax rows over some of the keys, not yet divided by their sum. A vector is one query row and head.
struct AttentionPartial {
  float* top;  ///< [vectors] the power of two divided out of the probabilities: an integer, or −inf before any key
  float* sum;  ///< [vectors] Σ 2^(logit · log2 e − top)
  float* acc;  ///< [vectors, padded dim] Σ 2^(…) · v; null where only the sums are wanted
};

/// Query rows that share a KV head: `group` heads of each of `rows` rows, over the keys [key_begin, key_end).
struct AttentionTile {
  const float* q;  ///< [rows, group · head_dim]
  std::int64_t q_stride;
  const std::int32_t* intervals;  ///< [rows, 2]
  std::int64_t rows, group, head_dim;
  float scale;
  bool round;  ///< queries and probabilities to bf16
  HeadRows k, v;
  const std::int32_t* slots;
  TemperArgs temper;
  std::int64_t key_begin, key_end;
  float* scratch;  ///< attention_scratch floats, aligned to 64 bytes
  AttentionPartial result;
};

/// One query row's group of heads over the keys [key_begin, key_end), all of them seen.
using DecodePart = AttentionTile;

/// The column sums of one tile of keys over all query rows and heads.
struct MassTile {
  const float* q;  ///< [rows, kv_heads · group · head_dim]
  std::int64_t q_stride;
  const std::int32_t* intervals;
  std::int64_t rows, kv_heads, group, head_dim;
  float scale;
  bool round;
  HeadRows k;  ///< of the first KV head; the others follow at head_dim elements
  const std::int32_t* slots;
  std::int64_t key_begin, key_end;  ///< at most attention_keys
  const float* top;                 ///< [kv_heads, rows · group], of the whole softmax row
  const float* sum;
  float head_weight;  ///< on each head's probability: 1, or 1 / heads for the mean
  int row_reduce;     ///< 0 sum, 1 max, 2 l2
  float* scratch;     ///< mass_scratch floats
  float* out;         ///< [key_end − key_begin]
};

}  // namespace kvmend
