// Tokens that are not recomputed follow those of their chunk that are (AgentKVShift, arXiv 2607.21604).
#include <algorithm>
#include <numeric>

#include "recompute/pass.h"
#include "recompute/rows.h"

namespace kvmend {
namespace {

/// [units, width]: the mean of fresh − cached over each unit's rows; 0 where a unit has none.
std::vector<float> mean_change(std::span<const float> fresh, std::span<const float> cached, std::span<const int> units,
                               std::size_t n_units) {
  const std::size_t width = units.empty() ? 0 : fresh.size() / units.size();
  std::vector<double> sum(n_units * width);
  std::vector<int> count(n_units);
  for (std::size_t row = 0; row < units.size(); ++row) {
    const auto u = static_cast<std::size_t>(units[row]);
    ++count[u];
    for (std::size_t c = 0; c < width; ++c) {
      sum[u * width + c] += static_cast<double>(fresh[row * width + c]) - cached[row * width + c];
    }
  }
  std::vector<float> out(sum.size());
  for (std::size_t i = 0; i < sum.size(); ++i) {
    out[i] = static_cast<float>(sum[i] / std::max(1, count[i / width]));
  }
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
  std::vector<int> units;
  for (auto it = active_.begin(); it != end; ++it) units.push_back(sequence.units[static_cast<std::size_t>(*it)]);
  const auto n_units = static_cast<std::size_t>(sequence.units.back()) + 1;
  const Tensor unit_of = upload_indices(model_, queue_, {sequence.units.begin(), sequence.units.begin() + rows});
  const Tensor positions =
      upload_indices(model_, queue_, {sequence.positions.begin(), sequence.positions.begin() + rows});
  const auto shifted = [&](const Tensor& to, const Tensor& fresh, const Tensor& old) {
    const Tensor offsets = model_.backend().allocate(DType::f32, static_cast<std::int64_t>(n_units), width);
    const std::vector<float> change =
        m == 0 ? std::vector<float>(n_units * static_cast<std::size_t>(width))
               : mean_change(downloaded(queue_, fresh), downloaded(queue_, gathered(model_, queue_, old, indices)),
                             units, n_units);
    queue_.upload(offsets, change);
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
