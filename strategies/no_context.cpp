#include <numeric>

#include "recompute/selector.h"

namespace kvmend {
namespace {

/// Prefix and query only, contiguous: what the model answers without the passages. The lower reference.
class NoContext final : public Selector {
 public:
  using Params = NoParams;
  explicit NoContext(Params) {}
  bool only_selects() const override { return false; }
  Plan plan(Probe& probe, const Budget&) const override {
    const Request& request = probe.request();
    const int prefix = request.has_prefix() ? request.units.front().end : 0;
    Plan plan;
    plan.kept.emplace(static_cast<std::size_t>(prefix));
    std::iota(plan.kept->begin(), plan.kept->end(), 0);
    plan.query_position = prefix;
    return plan;
  }
};

KVMEND_SELECTOR(NoContext, "no_context",
                {.summary = "prefix and query without the passages: the lower reference",
                 .source = "",
                 .labels = "exact",
                 .uses_ratio = false,
                 .moves_keys = false,
                 .exemptions = {"1 (r = 1 equals full prefill): it drops the context by definition",
                                "2 (r = 0 equals reuse): it drops the context by definition",
                                "3 (one chunk equals full prefill): it drops the context by definition"}});

}  // namespace
}  // namespace kvmend
