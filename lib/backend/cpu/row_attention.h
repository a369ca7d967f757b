#pragma once
// Softmax rows over a KV view, cut into tiles of rows, KV heads and splits of the keys for the threads. Attention
// and attention mass are both built on it.
#include <functional>
#include <optional>

#include "backend/backend.h"
#include "backend/cpu/resources.h"

namespace kvmend {

/// One KV head of a view's keys or values. `columns` is where the head begins.
HeadRows head_rows(const Tensor& base, const Tensor& overlay, std::int64_t column, bool round);

/// The list of slots, checked against both stores.
const std::int32_t* checked_slots(const char* op, const KvView& kv);

struct RowAttention {
  const Tensor& q;  ///< [rows, heads · head_dim]
  const KvView& kv;
  const Visibility& visible;
  std::int64_t head_dim;
  float scale;
  bool round;
  TemperArgs temper;
  bool values;  ///< false: only tops and sums

  /// Rows [first, first + rows) of one KV head are complete. Called from the threads.
  using Done =
      std::function<void(std::int64_t first, std::int64_t rows, std::int64_t kv_head, const AttentionPartial&)>;
  void run(CpuResources& resources, const Done& done) const;

  std::int64_t kv_heads() const;
  std::int64_t group() const { return q.cols() / head_dim / kv_heads(); }
};

TemperArgs temper_args(const std::optional<Temper>& temper);

}  // namespace kvmend
