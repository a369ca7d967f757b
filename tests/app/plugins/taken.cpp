// A plugin whose second name is one of kvmend's own.
#include "recompute/selector.h"

namespace {

struct Nothing final : kvmend::ScoreSelector {
  std::vector<float> score(kvmend::Probe&) const override { return {}; }
};

KVMEND_SELECTOR(Nothing, "test_free", {.summary = "", .source = "", .labels = ""});
KVMEND_SELECTOR(Nothing, "epic", {.summary = "", .source = "", .labels = ""});

}  // namespace
