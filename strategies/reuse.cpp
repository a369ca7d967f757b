#include "recompute/selector.h"
#include "strategies/fusion.h"

namespace kvmend {
namespace {

/// Full reuse: every chunk's cache, re-rotated to its global positions, and a fresh query. What every
/// strategy repairs.
class Reuse final : public Selector {
 public:
  using Params = NoParams;
  explicit Reuse(Params) {}
  Plan plan(Probe&, const Budget&) const override { return {}; }
};

/// The same without re-rotation: each chunk keeps the positions of its own prefill; the query stands at N.
class ReuseLocal final : public Selector {
 public:
  using Params = NoParams;
  explicit ReuseLocal(Params) {}
  bool only_selects() const override { return false; }
  void check_model(const ModelFacts& model) const override { refuse_window("local positions", model); }
  Plan plan(Probe&, const Budget&) const override {
    Plan plan;
    plan.placement = Placement::local;
    return plan;
  }
};

KVMEND_SELECTOR(Reuse, "reuse",
                {.summary = "full reuse: caches moved to global positions, fresh query, nothing recomputed",
                 .source = "",
                 .labels = "exact",
                 .uses_ratio = false,
                 .exemptions = {"1 (r = 1 equals full prefill): it has no ratio, nothing is recomputed"}});
KVMEND_SELECTOR(ReuseLocal, "reuse_local",
                {.summary = "full reuse without re-rotation: chunks keep their local positions",
                 .source = "",
                 .labels = "exact",
                 .uses_ratio = false,
                 .moves_keys = false,
                 .exemptions = {"1 (r = 1 equals full prefill): it has no ratio, nothing is recomputed",
                                "2 (r = 0 equals reuse): keys keep the positions of their own prefill"}});

}  // namespace
}  // namespace kvmend
