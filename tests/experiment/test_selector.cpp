// A selector of the tests' own: one with an auxiliary model and an axis, whatever strategies/ holds.
#include "recompute/selector.h"

namespace kvmend {
namespace {

class TestClip final : public Selector {
 public:
  struct Params {
    std::string aux_model;
    int window = 8;
    template <class V>
    static void fields(Params& p, V& v) {
      v("aux_model", p.aux_model, "auxiliary model");
      v("window", p.window, "tokens a group spans", at_least(1));
    }
  };
  explicit TestClip(Params) {}
  Plan plan(Probe&, const Budget&) const override { return {}; }
};

KVMEND_SELECTOR(TestClip, "test_clip", {.summary = "for tests", .source = "", .labels = ""});

}  // namespace
}  // namespace kvmend
