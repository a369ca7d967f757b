#include "recompute/decode_repair.h"

#include <algorithm>

#include "recompute/rows.h"
#include "recompute/selector.h"

namespace kvmend {

int repair_rows(const std::optional<DecodeRepair>& repair, int steps) {
  return repair ? repair->count * (steps / std::max(1, repair->interval)) : 0;
}

DecodeRepairer::DecodeRepairer(Engine& engine, const Sequence& sequence, std::vector<LayerCache>& caches,
                               Outcome& outcome, BasePtr base, const DecodeRepair& how, int first_row)
    : engine_(engine),
      sequence_(sequence),
      caches_(caches),
      outcome_(outcome),
      base_(std::move(base)),
      how_(how),
      next_row_(first_row),
      attention_(static_cast<std::size_t>(sequence.n_context)),
      done_(sequence.exact.begin(), sequence.exact.begin() + sequence.n_context) {
  for (const int i : outcome.selected) done_[static_cast<std::size_t>(i)] = 1;
  for (int i = 0; i < sequence.n_context; ++i) {
    if (!sequence.is_kept(i)) done_[static_cast<std::size_t>(i)] = 1;
  }
}

void DecodeRepairer::watch(int layer, const Tensor& q, const KvView& view) {
  Queue& queue = engine_.queue();
  const OpCost before = queue.cost();
  const Visibility::Interval all{0, static_cast<std::int32_t>(view.n_keys)};
  const Visibility visible = queue.visibility({&all, 1});
  MassArgs args;
  args.q = q;
  args.kv = view;
  args.visible = &visible;
  args.head_dim = engine_.model().config().head_dim;
  args.scale = engine_.model().attention_scale();
  args.out = engine_.backend().allocate(DType::f32, view.n_keys, 1);
  queue.attention_mass(args);
  watched_.push_back({layer, args.out});
  outcome_.decode_flops += (queue.cost() - before).flops;
}

void DecodeRepairer::end_step() {
  for (double& a : attention_) a *= how_.decay;
  const auto newest = static_cast<std::size_t>(++steps_);
  for (const Watched& watched : watched_) {
    const KeyList& keys = *caches_[static_cast<std::size_t>(watched.layer)].keys;
    const std::vector<float> mass = downloaded(engine_.queue(), watched.mass);
    const std::size_t skipped = keys.index.size() + newest - mass.size();  // outside this layer's window
    for (std::size_t e = skipped; e < keys.index.size(); ++e) {
      const int i = keys.index[e];
      if (i < sequence_.n_context) attention_[static_cast<std::size_t>(i)] += mass[e - skipped];
    }
  }
  watched_.clear();
  if (steps_ % how_.interval == 0) {
    const std::vector<int> rows = choose();
    if (!rows.empty()) repair(rows);
  }
}

std::vector<int> DecodeRepairer::choose() const {
  std::vector<int> rows;
  std::vector<float> scores;
  for (int i = 0; i < sequence_.n_context; ++i) {
    if (done_[static_cast<std::size_t>(i)]) continue;
    rows.push_back(i);
    scores.push_back(static_cast<float>(attention_[static_cast<std::size_t>(i)]));
  }
  return top_rows(rows, scores, std::vector<char>(rows.size()), how_.count);
}

/// The rows' keys are read from the overlay from now on.
void DecodeRepairer::move_to_overlay(const std::vector<int>& rows) {
  std::shared_ptr<const KeyList> before, after;
  int used = -1;
  for (LayerCache& cache : caches_) {
    if (cache.keys != before || cache.used != used) {  // layers with the same rows share a list
      before = cache.keys;
      used = cache.used;
      auto list = std::make_shared<KeyList>(*before);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const auto at = std::lower_bound(list->index.begin(), list->index.end(), rows[r]) - list->index.begin();
        list->host[static_cast<std::size_t>(at)] = -(used + next_row_ + static_cast<std::int32_t>(r)) - 1;
      }
      list->slots = upload_indices(engine_.model(), engine_.queue(), list->host);
      after = std::move(list);
    }
    cache.keys = after;
  }
}

Visibility DecodeRepairer::visible_to(const std::vector<int>& rows, int layer) const {
  const auto& index = caches_[static_cast<std::size_t>(layer)].keys->index;
  const ModelConfig& config = engine_.model().config();
  std::vector<Visibility::Interval> intervals;
  for (const int i : rows) {
    const auto end = std::upper_bound(index.begin(), index.end(), i);
    auto begin = index.begin();
    if (engine_.model().windowed(layer)) {
      const int first_seen = sequence_.positions[static_cast<std::size_t>(i)] - config.sliding_window + 1;
      begin = std::partition_point(
          begin, end, [&](int k) { return sequence_.positions[static_cast<std::size_t>(k)] < first_seen; });
    }
    intervals.push_back(
        {static_cast<std::int32_t>(begin - index.begin()), static_cast<std::int32_t>(end - index.begin())});
  }
  return engine_.queue().visibility(intervals);
}

void DecodeRepairer::repair(const std::vector<int>& rows) {
  const Model& model = engine_.model();
  Queue& queue = engine_.queue();
  const OpCost before = queue.cost();
  const auto m = static_cast<std::int64_t>(rows.size());
  const Activations activations = model.make_activations(m);
  std::vector<std::int32_t> ids, positions;
  for (const int i : rows) {
    ids.push_back(sequence_.ids[static_cast<std::size_t>(i)]);
    positions.push_back(sequence_.positions[static_cast<std::size_t>(i)]);
  }
  model.embed(queue, activations, ids, positions);
  move_to_overlay(rows);
  for (int layer = 0; layer < model.config().n_layers; ++layer) {
    const LayerCache& cache = caches_[static_cast<std::size_t>(layer)];
    const std::int64_t first = cache.used + next_row_;
    model.project(queue, layer, activations,
                  {cache.overlay.k.row_range(first, m), cache.overlay.v.row_range(first, m)});
    const Visibility visible = visible_to(rows, layer);
    const LayerKv& base = base_->layer(layer);
    AttentionArgs args;
    args.q = activations.q;
    args.kv = {base.k, base.v, cache.overlay.k, cache.overlay.v, cache.keys->slots, cache.keys->n_keys};
    args.visible = &visible;
    args.head_dim = model.config().head_dim;
    args.scale = model.attention_scale();
    args.out = activations.attention;
    queue.attention(args);
    model.finish(queue, layer, activations);
  }
  next_row_ += static_cast<int>(m);
  for (const int i : rows) done_[static_cast<std::size_t>(i)] = 1;
  outcome_.decode_selected.insert(outcome_.decode_selected.end(), rows.begin(), rows.end());
  std::sort(outcome_.decode_selected.begin(), outcome_.decode_selected.end());
  outcome_.decode_flops += (queue.cost() - before).flops;
}

}  // namespace kvmend
