#pragma once
#include <map>
#include <vector>

#include "recompute/engine.h"
#include "recompute/plan.h"
#include "recompute/sequence.h"
#include "recompute/strategy.h"

namespace kvmend {

/// How a request's units are cached; strategies that agree share everything.
struct ReuseKey {
  SinkKind sink = SinkKind::none;
  int sink_tokens = 0;  ///< dummy_bos only
  Freshness freshness = Freshness::all;
  friend auto operator<=>(const ReuseKey&, const ReuseKey&) = default;
};
ReuseKey reuse_key(const CommonOptions& options);

/// One request's reused caches: loaded (or prefilled) per unit, placed once per placement.
class ReusedContext {
 public:
  /// `bos`: the vocabulary's BOS id for sinks; Error(usage) if a sink needs one and there is none.
  ReusedContext(Engine& engine, const Request& request, ReuseKey key, int bos);

  struct Placed {
    BasePtr base;
    double load_seconds = 0, place_seconds = 0;
  };
  const Placed& placed(Placement placement);

  const Request& request() const { return request_; }
  const Sequence& sequence() const { return sequence_; }
  /// Rows a base has: N, or N + Q − 1 with last_token freshness.
  int n_candidates() const { return n_candidates_; }
  bool is_exact(int i) const { return sequence_.exact[static_cast<std::size_t>(i)] != 0; }

 private:
  std::vector<std::int32_t> sink_of(std::size_t unit) const;
  void load();

  Engine& engine_;
  const Request& request_;
  ReuseKey key_;
  int bos_;
  Sequence sequence_;
  int n_candidates_ = 0;
  std::vector<Unit> units_;  ///< the request's, and with last_token the query's leading tokens
  std::vector<std::shared_ptr<const ChunkCache>> chunks_;
  double load_seconds_ = 0;
  std::map<Placement, Placed> placed_;
};

}  // namespace kvmend
