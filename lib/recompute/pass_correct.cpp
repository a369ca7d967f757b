// Tokens that are not recomputed follow those of their chunk that are (AgentKVShift, arXiv 2607.21604).
#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "recompute/pass.h"
#include "recompute/rows.h"

namespace kvmend {
namespace {

/// i32 [units, 2]: which of the rows [0, rows.size()) are each unit's. Sorted rows of one unit stand together.
Tensor ranges_of_units(const Model& model, Queue& queue, std::span<const int> rows, const Sequence& sequence) {
  const int n_units = sequence.units.back() + 1;
  std::vector<std::int32_t> bounds;
  std::size_t row = 0;
  for (int u = 0; u < n_units; ++u) {
    bounds.push_back(static_cast<std::int32_t>(row));
    while (row < rows.size() && sequence.units[static_cast<std::size_t>(rows[row])] == u) ++row;
    bounds.push_back(static_cast<std::int32_t>(row));
  }
  require(row == rows.size(), "units do not follow one another");
  const Tensor out = model.backend().allocate(DType::i32, n_units, 2);
  queue.upload(out, bounds);
  return out;
}

}  // namespace

/// Every context row moves to the overlay: recomputed ones as they are, the others shifted.
void Pass::correct(LayerCache& cache, const Tensor& unrotated) {
  const Sequence& sequence = *spec_.sequence;
  const auto rows = static_cast<std::int64_t>(spec_.base->rows);
  const auto end = std::lower_bound(active_.begin(), active_.end(), spec_.base->rows);
  const auto m = static_cast<std::int64_t>(end - active_.begin()),
             beyond = static_cast<std::int64_t>(active_.size()) - m;
  const LayerKv& cached = spec_.unrotated->layer(layer_);
  const std::int64_t width = model_.kv_width();
  const LayerKv out = model_.make_layer_kv(rows + beyond + spec_.reserve);

  const Tensor indices = upload_indices(model_, queue_, {active_.begin(), end});
  const Tensor ranges = ranges_of_units(model_, queue_, {active_.begin(), end}, sequence);
  const Tensor unit_of = upload_indices(model_, queue_, {sequence.units.begin(), sequence.units.begin() + rows});
  const Tensor positions =
      upload_indices(model_, queue_, {sequence.positions.begin(), sequence.positions.begin() + rows});
  const auto shifted = [&](const Tensor& to, const Tensor& fresh, const Tensor& old) {
    const Tensor offsets = model_.backend().allocate(DType::f32, ranges.rows(), width);
    queue_.mean_change(offsets, fresh, gathered(model_, queue_, old, indices), ranges);
    const Tensor sum = gathered(model_, queue_, offsets, unit_of),
                 wide = model_.backend().allocate(DType::f32, rows, width);
    queue_.copy(wide, old);
    queue_.add(sum, wide);
    queue_.copy(to, sum);
  };
  const Tensor keys = model_.backend().allocate(model_.backend().compute_dtype(), rows, width);
  shifted(keys, unrotated.row_range(0, m), cached.k);
  model_.place(queue_, layer_, out.k.row_range(0, rows), keys, positions);
  shifted(out.v.row_range(0, rows), cache.overlay.v.row_range(0, m), cached.v);
  if (m > 0) {
    queue_.scatter_rows(out.k, cache.overlay.k.row_range(0, m), indices);
    queue_.scatter_rows(out.v, cache.overlay.v.row_range(0, m), indices);
  }
  if (beyond > 0) {
    queue_.copy(out.k.row_range(rows, beyond), cache.overlay.k.row_range(m, beyond));
    queue_.copy(out.v.row_range(rows, beyond), cache.overlay.v.row_range(m, beyond));
  }
  cache.overlay = out;
  cache.used = static_cast<int>(rows + beyond);
  if (!keys_) {
    std::vector<int> overlaid(static_cast<std::size_t>(rows));
    std::iota(overlaid.begin(), overlaid.end(), 0);
    overlaid.insert(overlaid.end(), end, active_.end());
    build_keys(overlaid);
    build_visibility();
  }
}

}  // namespace kvmend
