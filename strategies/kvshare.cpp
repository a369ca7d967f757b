#include "core/error.h"
#include "recompute/selector.h"
#include "strategies/fusion.h"

namespace kvmend {
namespace {

/// KVShare's dual-stage high deviation (arXiv 2503.16525), approximated: no formula of it is public.
class KvShare final : public ScoreSelector {
 public:
  struct Params {
    int check_layer = 1;
    int decode_interval = 8;
    std::optional<int> decode_k;
    template <class V>
    static void fields(Params& p, V& v) {
      v("check_layer", p.check_layer, "where attention and value deviation are read", at_least(0));
      v("decode_interval", p.decode_interval, "decoded tokens between recomputations; 0: none", at_least(0));
      v("decode_k", p.decode_k, "tokens recomputed each time; not set: 1 % of the context", at_least(0));
    }
  };
  explicit KvShare(Params params) : params_(params) {}
  bool only_selects() const override { return params_.decode_interval == 0 || params_.decode_k == 0; }
  void check_model(const ModelFacts& model) const override { check_layers({params_.check_layer}, model); }

  std::vector<float> score(Probe& probe) const override {
    AttentionProbe what;
    what.rows = AttentionProbe::Rows::suffix;
    what.layers = {params_.check_layer};
    const auto attention = probe.attention(what).front();
    const auto deviation = probe.kv_deviation({params_.check_layer}).values.front();
    std::vector<float> out;
    for (std::size_t j = 0; j < attention.size(); ++j) out.push_back(attention[j] * deviation[j]);
    return out;
  }

  Plan plan(Probe& probe, const Budget& budget) const override {
    Plan plan = ScoreSelector::plan(probe, budget);
    if (budget.ratio > 0 && params_.decode_interval > 0) {
      DecodeRepair repair;
      repair.interval = params_.decode_interval;
      repair.count = params_.decode_k.value_or(probe.request().n_context() / 100);
      if (repair.count > 0) plan.decode_repair = repair;
    }
    return plan;
  }

 private:
  Params params_;
};

KVMEND_SELECTOR(
    KvShare, "kvshare",
    {.summary = "approximation: query attention times value deviation at an early layer, and more while decoding",
     .source = "arXiv 2503.16525",
     .labels = "[P] two stages, attention and deviation; [O] approximation: the product, check_layer, "
               "decode_interval, decode_k, attention decayed by 0.9 a step",
     .note = "approximation; no formula of arXiv 2503.16525 is public",
     .version = 2});

}  // namespace
}  // namespace kvmend
