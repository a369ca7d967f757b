#include "recompute/reused_context.h"

#include <numeric>

#include "core/error.h"
#include "recompute/stopwatch.h"

namespace kvmend {

ReuseKey reuse_key(const CommonOptions& options) {
  return {options.sink, options.sink == SinkKind::dummy_bos ? options.sink_tokens : 0, options.freshness};
}

ReusedContext::ReusedContext(Engine& engine, const Request& request, ReuseKey key, int bos)
    : engine_(engine),
      request_(request),
      key_(key),
      bos_(bos),
      sequence_(make_sequence(request)),
      units_(request.units) {
  const int n = request.n_context();
  n_candidates_ = n;
  if (key.freshness == Freshness::last_token && request.n_query() > 1) {
    n_candidates_ = n + request.n_query() - 1;
    units_.push_back({UnitKind::chunk, n, n_candidates_});
  }
  if ((key.sink == SinkKind::bos_first_only || key.sink == SinkKind::dummy_bos) && bos < 0) {
    fail(ErrorKind::usage, "sink {} needs a BOS token and this model's vocabulary has none; use sink: none",
         enum_name(key.sink));
  }
  sequence_.exact.assign(static_cast<std::size_t>(n_candidates_), 0);
  const bool first_behind_prefix =
      key.sink == SinkKind::shared_prefix && request.has_prefix() && request.units.size() > 1;
  const int exact_end = request.units.empty() ? 0 : request.units[first_behind_prefix ? 1 : 0].end;
  std::fill_n(sequence_.exact.begin(), exact_end, 1);
}

std::vector<std::int32_t> ReusedContext::sink_of(std::size_t unit) const {
  if (unit == 0) return {};
  switch (key_.sink) {
    case SinkKind::bos_first_only: return {bos_};
    case SinkKind::dummy_bos: return std::vector<std::int32_t>(static_cast<std::size_t>(key_.sink_tokens), bos_);
    case SinkKind::shared_prefix:
      if (!request_.has_prefix()) return {};
      return {request_.context_ids.begin(), request_.context_ids.begin() + request_.units.front().end};
    case SinkKind::none:
    case SinkKind::keep_bos: return {};  // keep_bos: the BOS tokens are in the units already
  }
  return {};
}

void ReusedContext::load() {
  if (!chunks_.empty()) return;
  for (std::size_t u = 0; u < units_.size(); ++u) {
    const auto ids =
        std::span(sequence_.ids)
            .subspan(static_cast<std::size_t>(units_[u].begin), static_cast<std::size_t>(units_[u].size()));
    auto loaded = engine_.chunk(sink_of(u), ids);
    load_seconds_ += loaded.load_seconds;
    chunks_.push_back(std::move(loaded.cache));
  }
}

const ReusedContext::Placed& ReusedContext::placed(Placement placement) {
  const auto found = placed_.find(placement);
  if (found != placed_.end()) return found->second;
  load();
  const Model& model = engine_.model();
  Queue& queue = engine_.queue();
  queue.finish();
  const Stopwatch watch;

  std::vector<std::int32_t> positions(static_cast<std::size_t>(n_candidates_));
  std::iota(positions.begin(), positions.end(), 0);
  if (placement == Placement::local) {
    for (std::size_t u = 0; u < units_.size(); ++u) {
      std::iota(positions.begin() + units_[u].begin, positions.begin() + units_[u].end,
                static_cast<std::int32_t>(sink_of(u).size()));
    }
  }
  const Tensor device_positions = model.backend().allocate(DType::i32, n_candidates_, 1);
  queue.upload(device_positions, positions);

  auto base = std::make_shared<PlacedBase>();
  base->rows = n_candidates_;
  for (int layer = 0; layer < model.config().n_layers; ++layer) {
    const LayerKv kv = model.make_layer_kv(n_candidates_);
    for (std::size_t u = 0; u < units_.size(); ++u) {
      const Unit& unit = units_[u];
      const LayerKv& chunk = chunks_[u]->layers[static_cast<std::size_t>(layer)];
      model.place(queue, kv.k.row_range(unit.begin, unit.size()), chunk.k,
                  device_positions.row_range(unit.begin, unit.size()));
      queue.copy(kv.v.row_range(unit.begin, unit.size()), chunk.v);
    }
    base->layers.push_back(kv);
  }
  queue.finish();
  return placed_.emplace(placement, Placed{std::move(base), load_seconds_, watch.seconds()}).first->second;
}

}  // namespace kvmend
