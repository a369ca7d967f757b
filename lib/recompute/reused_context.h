#pragma once
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "recompute/engine.h"
#include "recompute/ledger.h"
#include "recompute/plan.h"
#include "recompute/sequence.h"
#include "recompute/strategy.h"

namespace kvmend {

class ChunkStream;

/// How a request's units are cached; strategies that agree share everything.
struct ReuseKey {
  SinkKind sink = SinkKind::none;
  int sink_tokens = 0;  ///< dummy_bos only
  int neighbours = 0;   ///< chunks each chunk was prefilled behind
  Freshness freshness = Freshness::all;
  friend auto operator<=>(const ReuseKey&, const ReuseKey&) = default;
};
ReuseKey reuse_key(const CommonOptions& options);

/// How many leading units are exact in such a cache before anything is recomputed: the first, and the chunk behind a
/// prefix where it was prefilled behind that prefix and nothing else.
std::size_t exact_units(std::span<const Unit> units, const ReuseKey& key);

/// One request's reused caches: loaded (or prefilled) per unit, placed once per placement.
class ReusedContext {
 public:
  /// `bos`: the vocabulary's BOS id for sinks; Error(usage) if a sink needs one and there is none. `request` outlives it.
  ReusedContext(Engine& engine, const Request& request, ReuseKey key, int bos);
  /// Some of another context's units in another order; `units` are its unit numbers, `request` holds their tokens.
  /// Units that stand behind the same sink there share their caches.
  ReusedContext(ReusedContext& whole, const Request& request, std::vector<int> units);

  /// The units' caches, where the caller has them: nothing is looked up or prefilled. `load_seconds` is what they took.
  void provide(std::vector<std::shared_ptr<const ChunkCache>> chunks, double load_seconds);

  struct Placed {
    BasePtr base;
    Charge charge;                                   ///< what placing took
    std::shared_ptr<const ChunkStream> stream = {};  ///< where chunks lie in host memory or on disk
  };
  /// Where chunks lie in host memory or on disk, a layer is placed when it is first asked for: it comes beside the work on
  /// the layers below. Neither waiting nor placing is that work's own time.
  const Placed& placed(Placement placement, Ledger& ledger);
  /// Whether the ledger's account has used that base so far.
  bool used(Placement placement, const Ledger& ledger) const;
  /// The base with keys before RoPE; offline data, so placing it is free.
  BasePtr unrotated();
  /// Positions of the base's rows.
  std::vector<std::int32_t> positions(Placement placement) const;
  /// Reading stored caches, as measured when they were read; 0 before.
  double load_seconds() const { return whole_ ? whole_->load_seconds() + load_seconds_ : load_seconds_; }
  /// What loading and placing took so far in the midst of other work, to be taken off that work's measure.
  const ProbeCost& placed_meanwhile() const { return placed_meanwhile_; }

  const Request& request() const { return request_; }
  const ReuseKey& key() const { return key_; }
  int bos() const { return bos_; }
  const Sequence& sequence() const { return sequence_; }
  const std::vector<Unit>& units() const { return units_; }
  /// What a unit was prefilled behind: the sink, then its nearest chunks (FusionRAG, arXiv 2601.12904).
  std::vector<std::int32_t> sink_of(std::size_t unit) const;
  const ChunkCache& chunk(std::size_t unit);
  /// Rows a base has: N, or N + Q − 1 with last_token freshness.
  int n_candidates() const { return n_candidates_; }
  bool is_exact(int i) const { return sequence_.exact[static_cast<std::size_t>(i)] != 0; }

 private:
  void set_up();
  std::vector<std::int32_t> plain_sink(std::size_t unit) const;
  void load();
  struct Placing;
  std::shared_ptr<Placing> begin_placing(Placement placement, bool rotate);
  LayerKv place_next(Placing& placing);
  /// A base whose layers are placed when they are asked for, its cost going to `charge` as it arises.
  BasePtr streamed_base(const std::shared_ptr<Placing>& placing, Charge& charge, Ledger& ledger);

  Engine& engine_;
  const Request& request_;
  ReuseKey key_;
  int bos_;
  ReusedContext* whole_ = nullptr;
  std::vector<int> from_;  ///< the unit of whole_ that each unit is
  Sequence sequence_;
  int n_candidates_ = 0;
  std::vector<Unit> units_;  ///< the request's, and with last_token the query's leading tokens
  std::vector<ChunkStore::Opened> chunks_;
  double load_seconds_ = 0;
  ProbeCost placed_meanwhile_;
  std::map<Placement, Placed> placed_;
  BasePtr unrotated_;
};

}  // namespace kvmend
