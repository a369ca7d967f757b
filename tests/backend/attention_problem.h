#pragma once
// Attention problems for the tests: random queries, two stores, a list of slots, intervals.
#include <limits>

#include "device.h"

namespace kvmend::test {

struct AttentionProblem {
  int rows = 0, heads = 1, kv_heads = 1, head_dim = 16, n_base = 0, n_overlay = 0, n_keys = 0;
  std::vector<float> q, base_k, base_v, overlay_k, overlay_v;
  std::vector<std::int32_t> slots;
  std::vector<Visibility::Interval> intervals;
  std::optional<Temper> temper;
  DType store = DType::f32;
  float scale = 1;

  /// In the last two rows are far apart, as recomputed ones are, and see the keys up to their positions, or the last 60.
  enum class Mask { random, causal, all, sparse, window };

  AttentionProblem(int rows_, int heads_, int kv_heads_, int head_dim_, int n_keys_, Mask mask = Mask::random,
                   bool with_overlay = true)
      : rows(rows_),
        heads(heads_),
        kv_heads(kv_heads_),
        head_dim(head_dim_),
        n_base(n_keys_ + 3),
        n_overlay(with_overlay ? n_keys_ / 2 + 1 : 0),
        n_keys(n_keys_),
        scale(1 / std::sqrt(static_cast<float>(head_dim_))) {
    const int kv = kv_heads * head_dim;
    q = random_values(static_cast<std::int64_t>(rows) * heads * head_dim, 1, 2);
    base_k = random_values(static_cast<std::int64_t>(n_base) * kv, 2),
    base_v = random_values(static_cast<std::int64_t>(n_base) * kv, 3);
    overlay_k = random_values(static_cast<std::int64_t>(n_overlay) * kv, 4),
    overlay_v = random_values(static_cast<std::int64_t>(n_overlay) * kv, 5);
    std::mt19937 generator(6);
    const auto any = [&](std::int32_t low, std::int32_t high) {
      return std::uniform_int_distribution<std::int32_t>(low, high)(generator);
    };
    for (int i = 0; i < n_keys; ++i) slots.push_back(any(-n_overlay, n_base - 1));
    for (int r = 0; r < rows; ++r) {
      const std::int32_t a = any(0, n_keys), b = any(0, n_keys);
      if (mask == Mask::random) intervals.push_back({std::min(a, b), std::max(a, b)});
      if (mask == Mask::causal) intervals.push_back({0, static_cast<std::int32_t>(n_keys - rows + r + 1)});
      if (mask == Mask::all) intervals.push_back({0, n_keys});
      const std::int32_t position = (r + 1) * n_keys / rows - r % 2;
      if (mask == Mask::sparse) intervals.push_back({0, position});
      if (mask == Mask::window) intervals.push_back({std::max(0, position - 60), position});
    }
    if (mask == Mask::random && rows > 1) intervals[1] = {n_keys / 2, n_keys / 2};  // sees nothing
  }

  KvView view(Device& d) const {
    const int kv = kv_heads * head_dim;
    KvView view{.base_k = d.strided(n_base, kv, base_k, store),
                .base_v = d.strided(n_base, kv, base_v, store),
                .overlay_k = {},
                .overlay_v = {},
                .slots = d.indices(slots),
                .n_keys = n_keys};
    if (n_overlay > 0) {
      view.overlay_k = d.strided(n_overlay, kv, overlay_k, store);
      view.overlay_v = d.strided(n_overlay, kv, overlay_v, store);
    }
    return view;
  }

  /// out [rows, heads · head_dim], then lse [rows, heads].
  std::vector<float> attention(Device& d) const {
    const Visibility visible = d.queue->visibility(intervals);
    const Tensor out = d.strided(rows, heads * head_dim), lse = d.strided(rows, heads);
    d.queue->attention({.q = d.strided(rows, heads * head_dim, q),
                        .kv = view(d),
                        .visible = &visible,
                        .head_dim = head_dim,
                        .scale = scale,
                        .temper = temper,
                        .out = out,
                        .lse = lse});
    std::vector<float> both = d.values(out), more = d.values(lse);
    both.insert(both.end(), more.begin(), more.end());
    return both;
  }

  std::vector<float> mass(Device& d, HeadReduce over_heads, RowReduce over_rows) const {
    const Visibility visible = d.queue->visibility(intervals);
    const Tensor out = d.strided(n_keys, 1);
    KvView keys = view(d);
    keys.base_v = keys.overlay_v = {};
    d.queue->attention_mass({.q = d.strided(rows, heads * head_dim, q),
                             .kv = keys,
                             .visible = &visible,
                             .head_dim = head_dim,
                             .scale = scale,
                             .heads = over_heads,
                             .rows = over_rows,
                             .out = out});
    return d.values(out);
  }

  /// Row r with the first interval-end keys of the list as its cell: the rows' lists differ in length.
  std::vector<float> decode(Device& d) const {
    std::vector<KvView> cells(static_cast<std::size_t>(rows), view(d));
    std::vector<std::optional<Temper>> tempers;
    for (int r = 0; r < rows; ++r) {
      KvView& cell = cells[static_cast<std::size_t>(r)];
      cell.n_keys = intervals[static_cast<std::size_t>(r)].end;
      if (temper && temper->end <= cell.n_keys)
        tempers.push_back(temper);
      else
        tempers.push_back({});
    }
    const Tensor out = d.strided(rows, heads * head_dim);
    if (temper)
      d.queue->decode_attention(out, d.strided(rows, heads * head_dim, q), cells, head_dim, scale, tempers);
    else
      d.queue->decode_attention(out, d.strided(rows, heads * head_dim, q), cells, head_dim, scale);
    return d.values(out);
  }
};

}  // namespace kvmend::test
