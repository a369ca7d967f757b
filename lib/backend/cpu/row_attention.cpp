#include "backend/cpu/row_attention.h"

#include <algorithm>

#include "backend/host/host_buffer.h"

namespace kvmend {

namespace {

/// Keys of one split. A row's sums begin anew at each split and are merged in order, whether one thread or several
/// compute them: the cut does not depend on the number of rows or threads.
constexpr std::int64_t kSplitKeys = 2048;

/// Queries and accumulators of a tile share the second level cache with a tile of keys: at most this many floats each.
constexpr std::int64_t kTileFloats = 24576;
constexpr std::int64_t kTileVectors = 384;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
std::int64_t round_up(std::int64_t a, std::int64_t to) { return ceil_div(a, to) * to; }

/// How the rows of one call are cut.
struct Cut {
  std::int64_t rows, group, kv_heads, tile_rows, tiles, splits, acc_floats, partial_floats;
  bool split_tasks;  ///< too few tiles for the threads: each split is a task of its own

  Cut(const RowAttention& a, const CpuResources& r) : rows(a.q.rows()), group(a.group()), kv_heads(a.kv_heads()) {
    const Kernels& k = r.kernels;
    const std::int64_t vectors = std::clamp<std::int64_t>(kTileFloats / a.head_dim, 1, kTileVectors);
    tiles = ceil_div(rows, std::max<std::int64_t>(1, vectors / group));
    tile_rows = ceil_div(rows, tiles);
    splits = std::max<std::int64_t>(1, ceil_div(a.visible.max_end, kSplitKeys));
    split_tasks = splits > 1 && tiles * kv_heads < 3 * r.workers.size();
    const std::int64_t padded = round_up(tile_rows * group, k.attention_vectors);
    acc_floats = a.values ? padded * round_up(a.head_dim, k.attention_columns) : 0;
    partial_floats = round_up(acc_floats + 2 * padded, 16);
  }

  std::int64_t first_row(std::int64_t tile) const { return tile * tile_rows; }
  std::int64_t rows_of(std::int64_t tile) const { return std::min(tile_rows, rows - first_row(tile)); }
  AttentionPartial partial(float* memory) const {
    float* top = memory + acc_floats;
    return {top, top + tile_rows * group, acc_floats > 0 ? memory : nullptr};
  }
};

/// Keys that the rows see between them.
Visibility::Interval seen_by(const std::int32_t* intervals, std::int64_t rows) {
  Visibility::Interval all{INT32_MAX, 0};
  for (std::int64_t r = 0; r < rows; ++r) {
    if (intervals[2 * r] >= intervals[2 * r + 1]) continue;
    all.begin = std::min(all.begin, intervals[2 * r]);
    all.end = std::max(all.end, intervals[2 * r + 1]);
  }
  return all;
}

}  // namespace

HeadRows head_rows(const Tensor& base, const Tensor& overlay, std::int64_t column, bool round) {
  const Tensor& some = base ? base : overlay;
  const auto at = [column](const Tensor& t) -> const void* {
    return t ? host_bytes(t) + static_cast<std::size_t>(column) * dtype_bytes(t.dtype()) : nullptr;
  };
  return {at(base), at(overlay), base.stride(), overlay.stride(), some.dtype() == DType::bf16, round};
}

const std::int32_t* checked_slots(const char* op, const KvView& kv) {
  if (kv.n_keys == 0) return nullptr;
  return host_indices(kv.slots.row_range(0, kv.n_keys), -kv.overlay_k.rows(), kv.base_k.rows(), op);
}

TemperArgs temper_args(const std::optional<Temper>& temper) {
  return temper ? TemperArgs{temper->begin, temper->end, temper->scale, temper->shift} : TemperArgs{0, 0, 1, 0};
}

std::int64_t RowAttention::kv_heads() const {
  const std::int64_t columns = (kv.base_k ? kv.base_k : kv.overlay_k).cols();
  return columns == 0 ? q.cols() / head_dim : columns / head_dim;
}

void RowAttention::run(CpuResources& resources, const Done& done) const {
  const Kernels& kernels = resources.kernels;
  const Cut cut(*this, resources);
  const std::int32_t* slots = checked_slots("attention: slots", kv);
  const std::int32_t* intervals = host_data<std::int32_t>(visible.intervals);
  const std::int64_t scratch_floats = round_up(kernels.attention_scratch(cut.tile_rows * cut.group, head_dim), 16);

  const auto attend = [&](std::int64_t tile, std::int64_t kv_head, std::int64_t split, float* scratch, float* result) {
    const std::int64_t row = cut.first_row(tile), column = kv_head * head_dim;
    AttentionTile args{.q = host_data<float>(q) + row * q.stride() + column * cut.group,
                       .q_stride = q.stride(),
                       .intervals = intervals + 2 * row,
                       .rows = cut.rows_of(tile),
                       .group = cut.group,
                       .head_dim = head_dim,
                       .scale = scale,
                       .round = round,
                       .k = head_rows(kv.base_k, kv.overlay_k, column, round),
                       .v = {},
                       .slots = slots,
                       .temper = temper,
                       .key_begin = split * kSplitKeys,
                       .key_end = std::min<std::int64_t>((split + 1) * kSplitKeys, visible.max_end),
                       .scratch = scratch,
                       .result = cut.partial(result)};
    if (values) args.v = head_rows(kv.base_v, kv.overlay_v, column, round);
    kernels.attend(args);
  };
  const auto merge = [&](std::int64_t tile, float* into, float* from) {
    kernels.merge(cut.partial(into), cut.partial(from), cut.rows_of(tile) * cut.group, head_dim);
  };
  const auto of_thread = [&](int thread) {
    return resources.of_thread[static_cast<std::size_t>(thread)].floats(scratch_floats + 2 * cut.partial_floats);
  };
  const std::int64_t pairs = cut.tiles * cut.kv_heads;

  if (!cut.split_tasks) {
    // The last rows see most keys: they go first, so that what is left at the end is small.
    resources.workers.parallel_for(pairs, 1, [&](std::int64_t task, std::int64_t, int thread) {
      const std::int64_t tile = cut.tiles - 1 - task / cut.kv_heads, kv_head = task % cut.kv_heads;
      float *scratch = of_thread(thread), *result = scratch + scratch_floats, *next = result + cut.partial_floats;
      const auto [begin, end] = seen_by(intervals + 2 * cut.first_row(tile), cut.rows_of(tile));
      const std::int64_t first = begin < end ? begin / kSplitKeys : 0;
      attend(tile, kv_head, first, scratch, result);
      for (std::int64_t split = first + 1; split * kSplitKeys < end; ++split) {
        attend(tile, kv_head, split, scratch, next);
        merge(tile, result, next);
      }
      done(cut.first_row(tile), cut.rows_of(tile), kv_head, cut.partial(result));
    });
    return;
  }
  float* partials = resources.shared.floats(pairs * cut.splits * cut.partial_floats);
  resources.workers.parallel_for(pairs * cut.splits, 1, [&](std::int64_t task, std::int64_t, int thread) {
    const std::int64_t pair = task / cut.splits;
    attend(pair / cut.kv_heads, pair % cut.kv_heads, task % cut.splits, of_thread(thread),
           partials + task * cut.partial_floats);
  });
  resources.workers.parallel_for(pairs, 1, [&](std::int64_t pair, std::int64_t, int) {
    const std::int64_t tile = pair / cut.kv_heads;
    float* result = partials + pair * cut.splits * cut.partial_floats;
    for (std::int64_t split = 1; split < cut.splits; ++split) merge(tile, result, result + split * cut.partial_floats);
    done(cut.first_row(tile), cut.rows_of(tile), pair % cut.kv_heads, cut.partial(result));
  });
}

}  // namespace kvmend
