#include "recompute/reused_context.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "recompute/chunk_stream.h"
#include "recompute/nearest.h"
#include "recompute/stopwatch.h"

namespace kvmend {

ReuseKey reuse_key(const CommonOptions& options) {
  return {options.sink, options.sink == SinkKind::dummy_bos ? options.sink_tokens : 0, options.neighbours,
          options.freshness};
}

std::size_t exact_units(std::span<const Unit> units, const ReuseKey& key) {
  if (units.empty()) return 0;
  const bool first_behind_prefix = key.sink == SinkKind::shared_prefix && units.front().kind == UnitKind::prefix &&
                                   units.size() > 1 && (key.neighbours == 0 || units.size() == 2);
  return first_behind_prefix ? 2 : 1;
}

ReusedContext::ReusedContext(Engine& engine, const Request& request, ReuseKey key, int bos)
    : engine_(engine), request_(request), key_(key), bos_(bos) {
  set_up();
}

ReusedContext::ReusedContext(ReusedContext& whole, const Request& request, std::vector<int> units)
    : engine_(whole.engine_),
      request_(request),
      key_(whole.key_),
      bos_(whole.bos_),
      whole_(&whole),
      from_(std::move(units)) {
  set_up();
}

void ReusedContext::set_up() {
  sequence_ = make_sequence(request_);
  units_ = request_.units;
  const int n = request_.n_context();
  n_candidates_ = n;
  if (key_.freshness == Freshness::last_token && request_.n_query() > 1) {
    n_candidates_ = n + request_.n_query() - 1;
    units_.push_back({UnitKind::chunk, n, n_candidates_});
    if (whole_) from_.push_back(static_cast<int>(whole_->units_.size()) - 1);
  }
  if ((key_.sink == SinkKind::bos_first_only || key_.sink == SinkKind::dummy_bos) && bos_ < 0) {
    fail(ErrorKind::usage, "sink {} needs a BOS token and this model's vocabulary has none; use sink: none",
         enum_name(key_.sink));
  }
  sequence_.exact.assign(static_cast<std::size_t>(n_candidates_), 0);
  const std::size_t exact = exact_units(request_.units, key_);
  if (exact > 0) std::fill_n(sequence_.exact.begin(), request_.units[exact - 1].end, 1);
  for (const Unit& unit : units_) {
    for (int i = unit.begin; i < unit.end; ++i) sequence_.behind.push_back(i - unit.begin);
  }
}

std::vector<std::int32_t> ReusedContext::sink_of(std::size_t unit) const {
  // A reordered chunk keeps the neighbours it was encoded behind: they were chosen before anybody knew the order.
  if (key_.neighbours > 0 && whole_ && unit > 0) {
    const auto from = static_cast<std::size_t>(from_[unit]);
    if (from > 0) return whole_->sink_of(from);
  }
  std::vector<std::int32_t> out = plain_sink(unit);
  if (unit == 0 || unit >= request_.units.size()) return out;
  for (const int near : nearest_chunks(request_, static_cast<int>(unit), key_.neighbours)) {
    const Unit& chunk = request_.units[static_cast<std::size_t>(near)];
    out.insert(out.end(), request_.context_ids.begin() + chunk.begin, request_.context_ids.begin() + chunk.end);
  }
  return out;
}

std::vector<std::int32_t> ReusedContext::plain_sink(std::size_t unit) const {
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

void ReusedContext::provide(std::vector<std::shared_ptr<const ChunkCache>> chunks, double load_seconds) {
  require(chunks.size() == units_.size(), "{} caches for {} units", chunks.size(), units_.size());
  chunks_.clear();
  for (auto& cache : chunks) chunks_.push_back(ChunkStore::Opened::on_device(std::move(cache)));
  load_seconds_ = load_seconds;
}

void ReusedContext::load() {
  if (!chunks_.empty()) return;
  if (whole_) whole_->load();
  std::vector<ChunkStore::Opened> chunks;  // all or none: memory may run out on the way
  for (std::size_t u = 0; u < units_.size(); ++u) {
    const auto ids =
        std::span(sequence_.ids)
            .subspan(static_cast<std::size_t>(units_[u].begin), static_cast<std::size_t>(units_[u].size()));
    if (whole_ && whole_->sink_of(static_cast<std::size_t>(from_[u])) == sink_of(u)) {
      chunks.push_back(whole_->chunks_[static_cast<std::size_t>(from_[u])]);
      continue;
    }
    chunks.push_back(engine_.chunk(sink_of(u), ids));
    load_seconds_ += chunks.back().load_seconds;
  }
  chunks_ = std::move(chunks);
}

const ChunkCache& ReusedContext::chunk(std::size_t unit) {
  load();
  ChunkStore::Opened& chunk = chunks_[unit];
  if (!chunk.cache) {
    const Stopwatch watch;
    if (chunk.arriving) chunk.arriving->read_all();
    chunk.cache = upload_chunk(engine_.backend(), engine_.queue(), *chunk.off_device());
    load_seconds_ += watch.seconds();
  }
  return *chunk.cache;
}

std::vector<std::int32_t> ReusedContext::positions(Placement placement) const {
  std::vector<std::int32_t> out(static_cast<std::size_t>(n_candidates_));
  std::iota(out.begin(), out.end(), 0);
  for (std::size_t u = 0; u < units_.size(); ++u) {
    const bool prefix = units_[u].kind == UnitKind::prefix;
    std::int32_t first = units_[u].begin;
    const bool query = units_[u].begin >= sequence_.n_context;  // last_token freshness: it stays behind the context
    switch (query ? Placement::global : placement) {
      case Placement::global: break;
      case Placement::local: first = static_cast<std::int32_t>(sink_of(u).size()); break;
      case Placement::parallel: first = prefix ? 0 : sequence_.prefix_end; break;
      case Placement::tail: first = prefix ? 0 : sequence_.n_context - units_[u].size(); break;
    }
    std::iota(out.begin() + units_[u].begin, out.begin() + units_[u].end, first);
  }
  return out;
}

/// A base on its way: layers are made one after the other.
struct ReusedContext::Placing {
  bool rotate = true;
  Tensor positions;                     ///< i32 [rows, 1]
  std::shared_ptr<ChunkStream> stream;  ///< null: all chunks are on the device
  std::vector<LayerKv> streamed;        ///< the next layer's, where it came and is not placed yet
  int next = 0;                         ///< layer
};

std::shared_ptr<ReusedContext::Placing> ReusedContext::begin_placing(Placement placement, bool rotate) {
  auto placing = std::make_shared<Placing>();
  placing->rotate = rotate;
  placing->positions = engine_.backend().allocate(DType::i32, n_candidates_, 1);
  engine_.queue().upload(placing->positions, positions(placement));
  const bool streams = std::any_of(chunks_.begin(), chunks_.end(), [](const auto& chunk) { return !chunk.cache; });
  if (streams) placing->stream = std::make_shared<ChunkStream>(engine_.backend(), chunks_);
  return placing;
}

LayerKv ReusedContext::place_next(Placing& placing) {
  const Model& model = engine_.model();
  Queue& queue = engine_.queue();
  // Placing may run out of memory and be tried again: a layer comes once.
  std::vector<LayerKv>& streamed = placing.streamed;
  if (placing.stream && streamed.empty()) streamed = placing.stream->next_layer();
  const int layer = placing.next;
  const LayerKv kv = model.make_layer_kv(n_candidates_);
  for (std::size_t u = 0; u < units_.size(); ++u) {
    const Unit& unit = units_[u];
    const bool here = streamed.empty() || !streamed[u].k;
    const LayerKv& chunk = here ? chunks_[u].cache->layers[static_cast<std::size_t>(layer)] : streamed[u];
    const Tensor keys = kv.k.row_range(unit.begin, unit.size());
    if (placing.rotate) {
      model.place(queue, layer, keys, chunk.k, placing.positions.row_range(unit.begin, unit.size()));
    } else {
      queue.copy(keys, chunk.k);
    }
    queue.copy(kv.v.row_range(unit.begin, unit.size()), chunk.v);
  }
  streamed.clear();
  ++placing.next;
  return kv;
}

BasePtr ReusedContext::streamed_base(const std::shared_ptr<Placing>& placing, Charge& charge, Ledger& ledger) {
  return std::make_shared<PlacedBase>(n_candidates_, [this, placing, &charge, &ledger] {
    LayerKv kv;
    double waited = 0;
    ProbeCost cost = ledger
                         .measure([&] {
                           const Stopwatch watch;
                           if (placing->streamed.empty()) placing->streamed = placing->stream->next_layer();
                           waited = watch.seconds();
                           kv = place_next(*placing);
                         })
                         .cost;
    placed_meanwhile_ += cost;
    cost.seconds -= waited;
    charge.cost += cost;
    return kv;
  });
}

const ReusedContext::Placed& ReusedContext::placed(Placement placement, Ledger& ledger) {
  auto found = placed_.find(placement);
  if (found == placed_.end()) {
    ledger.measure([&] { load(); });  // a phase of its own; prefilling what was not stored is nobody's online work
    std::shared_ptr<Placing> placing;
    BasePtr base;
    Charge charge = ledger.measure([&] {
      placing = begin_placing(placement, true);
      if (placing->stream) return;
      base = std::make_shared<PlacedBase>(n_candidates_, [this, placing] { return place_next(*placing); });
      base->layer(engine_.model().config().n_layers - 1);
    });
    charge.placement = true;
    found = placed_.emplace(placement, Placed{std::move(base), std::move(charge), placing->stream}).first;
    if (placing->stream) {
      try {
        found->second.base = streamed_base(placing, found->second.charge, ledger);
      } catch (...) {
        placed_.erase(found);
        throw;
      }
    }
  }
  ledger.use(found->second.charge);
  return found->second;
}

bool ReusedContext::used(Placement placement, const Ledger& ledger) const {
  const auto found = placed_.find(placement);
  return found != placed_.end() && ledger.uses(found->second.charge);
}

BasePtr ReusedContext::unrotated() {
  if (!unrotated_) {
    load();
    const auto base = std::make_shared<PlacedBase>(
        n_candidates_, [this, placing = begin_placing(Placement::global, false)] { return place_next(*placing); });
    base->layer(engine_.model().config().n_layers - 1);
    unrotated_ = base;  // whole, or not at all
  }
  return unrotated_;
}

}  // namespace kvmend
