// Selectors as users write them on a bad day. Built against the plugin headers only.
#include <csignal>
#include <stdexcept>

#include "recompute/selector.h"

namespace {

/// Dies in every sample.
struct Crash final : kvmend::ScoreSelector {
  std::vector<float> score(kvmend::Probe&) const override {
    std::raise(SIGSEGV);
    return {};
  }
};

struct Throw final : kvmend::ScoreSelector {
  struct Params {
    int times = 1;
    template <class V>
    static void fields(Params& p, V& v) {
      v("times", p.times, "how often", kvmend::between(1, 9));
    }
  };
  explicit Throw(Params) {}
  std::vector<float> score(kvmend::Probe&) const override { throw std::runtime_error("no idea today"); }
};

struct Picky final : kvmend::ScoreSelector {
  void check_model(const kvmend::ModelFacts& model) const override {
    throw std::invalid_argument("wants 99 layers, not " + std::to_string(model.n_layers));
  }
  std::vector<float> score(kvmend::Probe&) const override { return {}; }
};

KVMEND_SELECTOR(Crash, "test_crash", {.summary = "dies", .source = "", .labels = "", .version = 3});
KVMEND_SELECTOR(Throw, "test_throw", {.summary = "throws", .source = "", .labels = ""});
KVMEND_SELECTOR(Picky, "test_picky", {.summary = "runs on no model", .source = "", .labels = ""});

}  // namespace
