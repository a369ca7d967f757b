#include <numeric>

#include "recompute/selector.h"

namespace kvmend {
namespace {

/// Full prefill: every row is computed, nothing is reused. The upper reference of every table.
class Full final : public Selector {
 public:
  using Params = NoParams;
  explicit Full(Params) {}
  Plan plan(Probe& probe, const Budget&) const override {
    Plan plan;
    plan.selected.resize(static_cast<std::size_t>(probe.n_candidates()));
    std::iota(plan.selected.begin(), plan.selected.end(), 0);
    return plan;
  }
};

KVMEND_SELECTOR(Full, "full",
                {.summary = "full prefill of the whole prompt: the upper reference",
                 .source = "",
                 .labels = "exact",
                 .uses_ratio = false,
                 .moves_keys = false,
                 .exemptions = {"2 (r = 0 equals reuse): it has no ratio, everything is computed"}});

}  // namespace
}  // namespace kvmend
