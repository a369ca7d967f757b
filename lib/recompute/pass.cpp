#include "recompute/pass.h"

#include <algorithm>

#include "core/error.h"
#include "recompute/rows.h"

namespace kvmend {
namespace {

std::vector<float> deviation(const Model& model, Queue& queue, const Tensor& fresh, const Tensor& cached) {
  const Tensor out = model.backend().allocate(DType::f32, fresh.rows(), 1);
  queue.row_deviation(out, fresh, cached);
  std::vector<float> host(static_cast<std::size_t>(fresh.rows()));
  queue.download(host, out);
  return host;
}

}  // namespace

Pass::Pass(const Model& model, Queue& queue, PassSpec spec)
    : model_(model), queue_(queue), spec_(std::move(spec)), active_(spec_.active) {
  require(!active_.empty() && std::is_sorted(active_.begin(), active_.end()), "a pass needs sorted active rows");
  rows_ = model_.make_activations(static_cast<std::int64_t>(active_.size()));
  std::vector<std::int32_t> ids, positions;
  for (const int i : active_) {
    ids.push_back(spec_.sequence->ids[static_cast<std::size_t>(i)]);
    positions.push_back(spec_.sequence->positions[static_cast<std::size_t>(i)]);
  }
  model_.embed(queue_, rows_, ids, positions);
}

KvView Pass::view() const {
  const LayerCache& cache = caches_.back();
  KvView view{{}, {}, cache.overlay.k, cache.overlay.v, cache.keys->slots, cache.keys->n_keys};
  if (spec_.base) {
    const LayerKv& base = spec_.base->layer(layer_);
    view.base_k = base.k;
    view.base_v = base.v;
  }
  return view;
}

void Pass::begin_layer(const LayerFilter* filter) {
  const auto n = static_cast<std::int64_t>(active_.size());
  LayerCache cache{model_.make_layer_kv(n + spec_.reserve), static_cast<int>(n), nullptr};
  Tensor unrotated;
  if (spec_.keep_unrotated || spec_.unrotated) {
    unrotated = model_.backend().allocate(model_.backend().compute_dtype(), n, model_.kv_width());
  }
  if (spec_.keep_unrotated) unrotated_.push_back(unrotated);
  if (spec_.keep_unrotated_q) unrotated_q_ = model_.backend().allocate(DType::f32, n, model_.q_width());
  model_.project(queue_, layer_, rows_, {cache.overlay.k.row_range(0, n), cache.overlay.v.row_range(0, n)}, unrotated,
                 unrotated_q_);
  if (spec_.unrotated) {
    correct(cache, unrotated);
  } else if (filter && layer_ >= filter->first_layer && layer_ <= filter->last_layer) {
    apply_filter(*filter, cache);
  } else if (!keys_ || overlaid_ != active_) {
    if (spec_.lanes.empty())
      build_keys(active_);
    else
      build_lane_keys();
    build_visibility();
  }
  if (spec_.write_back == WriteBack::fusion && spec_.base) blend(cache);
  cache.keys = keys_;
  caches_.push_back(std::move(cache));
}

LayerKv Pass::projected() const {
  const LayerCache& cache = caches_.back();
  const auto n = static_cast<std::int64_t>(active_.size());
  return {cache.overlay.k.row_range(0, n), cache.overlay.v.row_range(0, n)};
}

/// Overlaid rows that the base has too become a blend of both.
void Pass::blend(const LayerCache& cache) const {
  const auto end = std::lower_bound(overlaid_.begin(), overlaid_.end(), spec_.base->rows);
  const auto m = static_cast<std::int64_t>(end - overlaid_.begin());
  if (m == 0) return;
  const LayerKv& base = spec_.base->layer(layer_);
  const Tensor indices = upload_indices(model_, queue_, {overlaid_.begin(), end});
  queue_.blend_rows(cache.overlay.k.row_range(0, m), gathered(model_, queue_, base.k, indices));
  queue_.blend_rows(cache.overlay.v.row_range(0, m), gathered(model_, queue_, base.v, indices));
}

void Pass::apply_filter(const LayerFilter& filter, LayerCache& cache) {
  require(spec_.base != nullptr, "a layer filter compares with a reused cache");
  const auto candidates_end = std::lower_bound(active_.begin(), active_.end(), spec_.base->rows);
  const std::vector<int> candidates(active_.begin(), candidates_end);
  const auto m = static_cast<std::int64_t>(candidates.size());

  const LayerKv& base = spec_.base->layer(layer_);
  const Tensor indices = upload_indices(model_, queue_, candidates);
  std::vector<float> key =
      deviation(model_, queue_, cache.overlay.k.row_range(0, m), gathered(model_, queue_, base.k, indices));
  std::vector<float> value =
      deviation(model_, queue_, cache.overlay.v.row_range(0, m), gathered(model_, queue_, base.v, indices));
  // Above a choice a bottom-right mask has let rows see the future.
  const bool causal = spec_.sight != RowSight::bottom_right || layer_ == filter.first_layer;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Sequence& sequence = *spec_.sequence;
    if (causal ? sequence.unchanged(model_.config(), layer_, candidates[i])
               : sequence.exact[static_cast<std::size_t>(candidates[i])] != 0) {
      key[i] = value[i] = 0;  // else float noise ranks them
    }
  }

  std::vector<int> survivors = filter.pick(layer_, candidates, key, value);
  survivors.insert(survivors.end(), candidates_end, active_.end());
  const std::vector<int> projected = active_;
  keep_rows(survivors);
  if (!filter.fresh) {  // the others stay as they were cached: only survivors are overlaid
    std::vector<std::int32_t> from;
    for (std::size_t i = 0, s = 0; i < projected.size(); ++i) {
      if (s < survivors.size() && projected[i] == survivors[s]) {
        from.push_back(static_cast<std::int32_t>(i));
        ++s;
      }
    }
    const auto n = static_cast<std::int64_t>(survivors.size());
    const LayerKv merged = model_.make_layer_kv(n + spec_.reserve);
    const Tensor rows = upload_indices(model_, queue_, from);
    queue_.gather_rows(merged.k.row_range(0, n), cache.overlay.k, rows);
    queue_.gather_rows(merged.v.row_range(0, n), cache.overlay.v, rows);
    cache = {merged, static_cast<int>(n), nullptr};
  }
  build_keys(filter.fresh ? projected : survivors);
  build_visibility();
}

/// Drops the activations of rows that are not in `survivors` (a sorted subset of the active rows).
void Pass::keep_rows(const std::vector<int>& survivors) {
  if (survivors.size() == active_.size()) return;
  std::vector<std::int32_t> from;
  for (std::size_t i = 0, s = 0; i < active_.size() && s < survivors.size(); ++i) {
    if (active_[i] == survivors[s]) {
      from.push_back(static_cast<std::int32_t>(i));
      ++s;
    }
  }
  require(from.size() == survivors.size(), "a filter picked rows that were not active");
  const Tensor indices = upload_indices(model_, queue_, from);
  Activations kept = model_.make_activations(static_cast<std::int64_t>(survivors.size()));
  queue_.gather_rows(kept.hidden, rows_.hidden, indices);
  queue_.gather_rows(kept.q, rows_.q, indices);
  queue_.gather_rows(kept.positions, rows_.positions, indices);
  rows_ = std::move(kept);
  active_ = survivors;
}

void Pass::attend(const Call& call) {
  const auto n_heads = static_cast<std::int64_t>(model_.config().n_heads);
  AttentionArgs args;
  args.q = rows_.q.row_range(call.first, call.count);
  args.kv = view();
  args.visible = model_.windowed(layer_) ? &call.window : &call.visible;
  args.head_dim = model_.config().head_dim;
  args.scale = model_.attention_scale();
  args.temper = call.temper;
  args.out = rows_.attention.row_range(call.first, call.count);
  if (!call.chunks) {
    queue_.attention(args);
    return;
  }
  args.lse = model_.backend().allocate(DType::f32, call.count, n_heads);
  queue_.attention(args);
  AttentionArgs chunks = args;
  chunks.visible = &*call.chunks;
  chunks.scale = args.scale / spec_.temper.temperature;
  chunks.out = model_.backend().allocate(DType::f32, call.count, args.out.cols());
  chunks.lse = model_.backend().allocate(DType::f32, call.count, n_heads);
  queue_.attention(chunks);
  queue_.join_attention(args.out, chunks.out, chunks.lse, args.out, args.lse, spec_.temper.lse_factor());
}

void Pass::end_layer() {
  for (const Call& call : calls_) attend(call);
  model_.finish(queue_, layer_, rows_);

  const auto context_end = std::lower_bound(active_.begin(), active_.end(), spec_.sequence->n_context);
  layer_tokens_ += context_end - active_.begin();
  query_tokens_ += active_.end() - context_end;
  active_per_layer_.emplace_back(active_.begin(), context_end);
  ++layer_;
}

void Pass::run_until(int layer, const LayerFilter* filter) {
  while (layer_ < layer) {
    begin_layer(filter);
    end_layer();
  }
}

Pass Pass::fork(const PassSpec& how) const {
  PassSpec spec = spec_;
  spec.active = active_;
  spec.reserve = how.reserve;
  spec.sight = how.sight;
  spec.temper = how.temper;
  spec.write_back = how.write_back;
  Pass copy(model_, queue_, std::move(spec));
  copy.layer_ = layer_;
  copy.layer_tokens_ = layer_tokens_;
  copy.query_tokens_ = query_tokens_;
  copy.active_per_layer_ = active_per_layer_;
  queue_.copy(copy.rows_.hidden, rows_.hidden);
  for (const LayerCache& from : caches_) {
    LayerCache to{model_.make_layer_kv(from.used + how.reserve), from.used, nullptr};
    queue_.copy(to.overlay.k.row_range(0, from.used), from.overlay.k.row_range(0, from.used));
    queue_.copy(to.overlay.v.row_range(0, from.used), from.overlay.v.row_range(0, from.used));
    copy.caches_.push_back(std::move(to));
  }
  if (!caches_.empty()) {  // every layer so far ran the same rows: one list, with room for this cell's own
                           // decoding
    copy.build_keys(overlaid_);
    copy.build_visibility();
    for (LayerCache& cache : copy.caches_) cache.keys = copy.keys_;
  }
  return copy;
}

}  // namespace kvmend
