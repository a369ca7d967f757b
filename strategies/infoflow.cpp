#include "strategies/infoflow.h"

#include <algorithm>

#include "strategies/fusion.h"

namespace kvmend {
namespace infoflow {

void Params::check(ParamErrors& errors, const Location& where) const { check_layer_list(layers, errors, where); }

std::vector<int> layers(const Params& params, int n_layers) {
  if (!params.layers.empty()) return params.layers;
  std::vector<int> band;
  for (int layer = 22 * n_layers / 36; layer <= 25 * n_layers / 36; ++layer) band.push_back(layer);
  return band;
}

std::vector<float> score(Probe& probe, const Params& params, Geometry geometry) {
  AttentionProbe what;
  what.rows = AttentionProbe::Rows::question;
  what.query = params.query == Query::question_alone ? AttentionProbe::Query::alone : AttentionProbe::Query::in_place;
  what.softmax = AttentionProbe::Softmax::context_and_query;
  what.layers = layers(params, probe.n_layers());
  switch (params.score) {
    case Score::attention_norm:
      what.heads = AttentionProbe::Heads::mean;
      what.reduce = params.norm == Norm::l2 ? AttentionProbe::Reduce::l2 : AttentionProbe::Reduce::sum;
      break;
    case Score::vatp: what.weight = AttentionProbe::Weight::value_norm; break;
    case Score::entropy:
      what.heads = AttentionProbe::Heads::mean;
      what.reduce = AttentionProbe::Reduce::entropy;
      break;
  }
  switch (geometry) {
    case Geometry::global: break;
    case Geometry::tl_tp: what.placement = Placement::tail; break;
    case Geometry::hl_tp: what.placement = Placement::local; break;
    case Geometry::hl_hp: {
      what.placement = Placement::local;
      const auto positions = probe.positions(Placement::local);  // the question stands behind the longest chunk
      what.query_position = positions.empty() ? 0 : *std::max_element(positions.begin(), positions.end()) + 1;
      break;
    }
  }
  return mean_scores(probe.attention(what));
}

namespace {

/// InfoFlow KV (arXiv 2603.05353): what the question attends to in a band of upper layers.
class InfoFlow final : public ScoreSelector {
 public:
  using Params = infoflow::Params;
  explicit InfoFlow(Params params) : params_(std::move(params)) {}
  void check_model(const ModelFacts& model) const override {
    check_layers(params_.layers, model);
    if (params_.geometry != Geometry::global) refuse_window("geometries other than global", model);
  }
  std::vector<float> score(Probe& probe) const override { return infoflow::score(probe, params_, params_.geometry); }
  int count(const Budget& budget) const override { return budget.ratio == 0 ? 0 : std::max(1, budget.k); }
  std::vector<char> ranks_last(const Probe& probe) const override {
    const Request& request = probe.request();
    std::vector<char> last(static_cast<std::size_t>(request.n_context()));
    if (!params_.exclude_first_chunk || request.units.empty()) return last;
    const std::size_t first_passage = request.has_prefix() && request.units.size() > 1 ? 1 : 0;
    std::fill_n(last.begin(), request.units[first_passage].end, 1);
    return last;
  }

 private:
  Params params_;
};

KVMEND_SELECTOR(InfoFlow, "infoflow",
                {.summary = "what the question attends to in a band of upper layers, norm over its tokens",
                 .source = "arXiv 2603.05353",
                 .labels = "[C] l2, question_alone, first chunk excluded, max(1, int(r*T)), vatp, entropy; [P] sum, "
                           "geometries compared; [O] band for other depths, positions of hl_hp, tl_tp and hl_tp",
                 .defaults = {.as = {}, .sink = SinkKind::shared_prefix}});

}  // namespace
}  // namespace infoflow
}  // namespace kvmend
