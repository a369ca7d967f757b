#include <numeric>

#include "recompute/selector.h"

namespace kvmend {
namespace {

/// Prefix caching: only the leading unit (the prefix, else the first chunk) is reused; lossless.
class PrefixCaching final : public Selector {
 public:
  using Params = NoParams;
  explicit PrefixCaching(Params) {}
  Plan plan(Probe& probe, const Budget&) const override {
    const auto& units = probe.request().units;
    const int first = units.empty() ? 0 : units.front().end;
    Plan plan;
    plan.selected.resize(static_cast<std::size_t>(probe.n_candidates() - first));
    std::iota(plan.selected.begin(), plan.selected.end(), first);
    return plan;
  }
};

KVMEND_SELECTOR(PrefixCaching, "prefix",
                {.summary = "prefix caching: the leading unit is reused, the rest recomputed; lossless",
                 .source = "",
                 .labels = "exact",
                 .uses_ratio = false,
                 .moves_keys = false,
                 .exemptions = {"2 (r = 0 equals reuse): it has no ratio, all behind the leading unit is computed"}});

}  // namespace
}  // namespace kvmend
