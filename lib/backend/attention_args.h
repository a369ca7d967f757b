#pragma once
// What the attention operations read and write.
#include <cstdint>
#include <optional>

#include "backend/tensor.h"

namespace kvmend {

/// For each query row the interval [begin, end) of the key list that it sees. The list is sorted by position, so
/// causal, windowed, non-causal and bottom-right masks are all intervals. Made by Queue::visibility.
struct Visibility {
  struct Interval {
    std::int32_t begin = 0, end = 0;
  };
  Tensor intervals;  ///< i32 [rows, 2]
  std::int64_t rows = 0;
  std::int64_t pairs = 0;  ///< Σ (end − begin)
  std::int32_t max_end = 0;
};

/// The keys and values one attention call reads: rows of two stores, picked and ordered by one list.
struct KvView {
  Tensor base_k, base_v;        ///< [n_base, kv_heads · head_dim], rotated keys; may be empty
  Tensor overlay_k, overlay_v;  ///< [n_overlay, kv_heads · head_dim]; may be empty
  Tensor slots;                 ///< i32 [≥ n_keys, 1]: s ≥ 0 is base row s, s < 0 is overlay row −s − 1
  std::int64_t n_keys = 0;
};

/// Logits of list entries [begin, end) become logit · scale + shift before the softmax (APE's temper).
struct Temper {
  std::int32_t begin = 0, end = 0;
  float scale = 1, shift = 0;
};

struct AttentionArgs {
  Tensor q;  ///< f32 [rows, heads · head_dim], rotated
  KvView kv;
  const Visibility* visible = nullptr;
  int head_dim = 0;
  float scale = 0;  ///< on q·k, normally 1/√head_dim
  std::optional<Temper> temper;
  Tensor out;  ///< f32 [rows, heads · head_dim]; a row that sees nothing is 0
  Tensor lse;  ///< optional f32 [rows, heads]: log Σ exp of the logits; −inf where nothing is seen
};

enum class HeadReduce : std::uint8_t { sum, mean };
enum class RowReduce : std::uint8_t { sum, max, l2 };

/// Column statistics of the softmax matrix without writing it: p[row, head, key] over each row's interval,
/// reduced over heads first, then over rows.
struct MassArgs {
  Tensor q;   ///< f32 [rows, heads · head_dim], rotated
  KvView kv;  ///< values are not read
  const Visibility* visible = nullptr;
  int head_dim = 0;
  float scale = 0;
  HeadReduce heads = HeadReduce::sum;
  RowReduce rows = RowReduce::sum;
  Tensor out;  ///< f32 [n_keys, 1]
};

}  // namespace kvmend
