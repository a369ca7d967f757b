// Attention in its three forms.
#include <algorithm>

#include "backend/cpu/cpu_queue.h"
#include "backend/cpu/row_attention.h"
#include "backend/host/host_buffer.h"

namespace kvmend {

void CpuQueue::do_attention(const AttentionArgs& a) {
  const RowAttention attention{a.q, a.kv, *a.visible, a.head_dim, a.scale, rounds(), temper_args(a.temper), true};
  const std::int64_t group = attention.group(), d = a.head_dim;
  float *out = host_data<float>(a.out), *lse = host_data<float>(a.lse);
  attention.run(resources_, [&](std::int64_t row, std::int64_t rows, std::int64_t kv_head, const AttentionPartial& p) {
    kernels().finish(p, rows, group, d, out + row * a.out.stride() + kv_head * group * d, a.out.stride(),
                     lse == nullptr ? nullptr : lse + row * a.lse.stride() + kv_head * group, a.lse.stride());
  });
}

void CpuQueue::do_attention_mass(const MassArgs& a) {
  const RowAttention attention{a.q, a.kv, *a.visible, a.head_dim, a.scale, rounds(), temper_args({}), false};
  const std::int64_t group = attention.group(), kv_heads = attention.kv_heads(), rows = a.q.rows();
  const std::int64_t vectors = rows * group, heads = kv_heads * group;

  // First every softmax row's sum, then the probabilities of one tile of keys after the other.
  float *top = sums_.floats(2 * kv_heads * vectors), *sum = top + kv_heads * vectors;
  if (rows > 0)
    attention.run(resources_,
                  [&](std::int64_t row, std::int64_t count, std::int64_t kv_head, const AttentionPartial& p) {
                    const std::int64_t at = kv_head * vectors + row * group;
                    std::copy_n(p.top, count * group, top + at);
                    std::copy_n(p.sum, count * group, sum + at);
                  });

  const std::int64_t keys = kernels().attention_keys, n = a.kv.n_keys;
  const std::int64_t scratch = kernels().mass_scratch(kv_heads, group, a.head_dim) + keys;
  MassTile tile{.q = host_data<float>(a.q),
                .q_stride = a.q.stride(),
                .intervals = host_data<std::int32_t>(a.visible->intervals),
                .rows = rows,
                .kv_heads = kv_heads,
                .group = group,
                .head_dim = a.head_dim,
                .scale = a.scale,
                .round = rounds(),
                .k = head_rows(a.kv.base_k, a.kv.overlay_k, 0, rounds()),
                .slots = host_data<std::int32_t>(a.kv.slots),
                .key_begin = 0,
                .key_end = 0,
                .top = top,
                .sum = sum,
                .head_weight = a.heads == HeadReduce::mean ? 1 / static_cast<float>(heads) : 1.0F,
                .row_reduce = a.rows == RowReduce::sum   ? 0
                              : a.rows == RowReduce::max ? 1
                                                         : 2,
                .scratch = nullptr,
                .out = nullptr};
  float* out = host_data<float>(a.out);
  workers().parallel_for(n, keys, [&](std::int64_t begin, std::int64_t end, int thread) {
    MassTile mine = tile;
    mine.scratch = of_thread(thread).floats(scratch);
    mine.out = mine.scratch + scratch - keys;
    mine.key_begin = begin, mine.key_end = end;
    kernels().mass(mine);
    for (std::int64_t i = begin; i < end; ++i) out[i * a.out.stride()] = mine.out[i - begin];
  });
}

namespace {

/// Keys of one part of a cell's list: the cut depends on the list alone, so a cell's bits do too.
constexpr std::int64_t kDecodeSplit = 512;

struct CellPart {
  std::size_t cell;
  std::int64_t kv_head, begin, end, partial;
};

}  // namespace

void CpuQueue::do_decode_attention(const Tensor& out, const Tensor& q, std::span<const KvView> cells, int head_dim,
                                   float scale, std::span<const std::optional<Temper>> tempers) {
  const std::int64_t d = head_dim;
  std::int64_t kv_columns = q.cols();
  for (const KvView& kv : cells)
    if (const Tensor& k = kv.base_k ? kv.base_k : kv.overlay_k) kv_columns = k.cols();
  const std::int64_t kv_heads = kv_columns / d, group = q.cols() / kv_columns;
  const std::int64_t padded =
      (d + kernels().attention_columns - 1) / kernels().attention_columns * kernels().attention_columns;
  const std::int64_t partial_floats = (group * (padded + 2) + 15) / 16 * 16;

  // A KV head of all cells after the other: cells share a base, whose rows are then still in a cache.
  std::vector<const std::int32_t*> slots;
  for (const KvView& kv : cells) slots.push_back(checked_slots("decode_attention: slots", kv));
  std::vector<CellPart> parts;
  for (std::int64_t head = 0; head < kv_heads; ++head)
    for (std::size_t cell = 0; cell < cells.size(); ++cell)
      for (std::int64_t begin = 0; begin == 0 || begin < cells[cell].n_keys; begin += kDecodeSplit)
        parts.push_back({cell, head, begin, std::min(begin + kDecodeSplit, cells[cell].n_keys),
                         static_cast<std::int64_t>(parts.size()) * partial_floats});
  float* partials = resources_.shared.floats(static_cast<std::int64_t>(parts.size()) * partial_floats);
  const auto partial_of = [&](const CellPart& part) {
    float* acc = partials + part.partial;
    return AttentionPartial{acc + group * padded, acc + group * padded + group, acc};
  };

  const std::int64_t scratch = kernels().decode_scratch(group, d);
  workers().parallel_for(static_cast<std::int64_t>(parts.size()), 1, [&](std::int64_t i, std::int64_t, int thread) {
    const CellPart& part = parts[static_cast<std::size_t>(i)];
    const KvView& kv = cells[part.cell];
    const auto row = static_cast<std::int64_t>(part.cell);
    kernels().decode({.q = host_data<float>(q) + row * q.stride() + part.kv_head * group * d,
                      .q_stride = q.stride(),
                      .intervals = nullptr,
                      .rows = 1,
                      .group = group,
                      .head_dim = d,
                      .scale = scale,
                      .round = rounds(),
                      .k = head_rows(kv.base_k, kv.overlay_k, part.kv_head * d, rounds()),
                      .v = head_rows(kv.base_v, kv.overlay_v, part.kv_head * d, rounds()),
                      .slots = slots[part.cell],
                      .temper = temper_args(tempers.empty() ? std::nullopt : tempers[part.cell]),
                      .key_begin = part.begin,
                      .key_end = part.end,
                      .scratch = of_thread(thread).floats(scratch),
                      .result = partial_of(part)});
  });
  for (std::size_t i = 0; i < parts.size();) {
    const CellPart& first = parts[i];
    const AttentionPartial result = partial_of(first);
    for (++i; i < parts.size() && parts[i].begin > 0; ++i) kernels().merge(result, partial_of(parts[i]), group, d);
    kernels().finish(
        result, 1, group, d,
        host_data<float>(out) + static_cast<std::int64_t>(first.cell) * out.stride() + first.kv_head * group * d,
        out.stride(), nullptr, 0);
  }
}

}  // namespace kvmend
