#include "core/error.h"
#include "strategies/token_groups.h"

namespace kvmend {
namespace {

/// SpecCache: a small model prefills the context; the norm of its deep hidden states says which tokens matter.
class SpecCache final : public ScoreSelector {
 public:
  struct Params {
    std::string aux_model;
    std::optional<int> layer;
    template <class V>
    static void fields(Params& p, V& v) {
      v("aux_model", p.aux_model, "the small model that scores: a name, a .gguf file or a folder");
      v("layer", p.layer, "whose input is measured; not set: what the last layer gives", at_least(0));
    }
    void check(ParamErrors& errors, const Location& where) const {
      if (aux_model.empty()) errors.add(where, "speccache needs an aux_model: `speccache: {aux_model: smollm2-135m}`");
    }
  };
  explicit SpecCache(Params params) : params_(std::move(params)) {}
  std::vector<std::string> auxiliary_models() const override { return {params_.aux_model}; }
  void check_auxiliary(const std::string&, const ModelFacts& auxiliary, const CommonOptions&) const override {
    if (!params_.layer || *params_.layer <= auxiliary.n_layers) return;
    fail(ErrorKind::usage, "layer {} is past the {} layers it has ({} is what the last one gives)", *params_.layer,
         auxiliary.n_layers, auxiliary.n_layers);
  }

  std::vector<float> score(Probe& probe) const override {
    std::vector<float> out;
    probe.auxiliary(params_.aux_model, [&](Probe& auxiliary) {
      const auto norms = auxiliary.hidden_norm(params_.layer.value_or(auxiliary.n_layers()));
      out = overlapping_scores(auxiliary.request(), {norms.begin(), norms.end()}, probe.request());
    });
    return out;
  }

 private:
  Params params_;
};

KVMEND_SELECTOR(SpecCache, "speccache",
                {.summary = "norm of a small model's deep hidden states, which prefills the whole context for it",
                 .source = "",
                 .labels = "[2] deep hidden-state norm; [O] after the last layer, larger is sooner, the largest of the "
                           "tokens that overlap"});

}  // namespace
}  // namespace kvmend
