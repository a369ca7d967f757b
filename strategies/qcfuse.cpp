#include <algorithm>
#include <numeric>

#include "recompute/selector.h"
#include "strategies/cosine.h"
#include "strategies/fusion.h"
#include "strategies/infoflow.h"

namespace kvmend {
namespace {

/// QCFuse (arXiv 2606.05875): the query meets a few anchor tokens of each chunk on its way through the model, and what it then
/// attends to in critical layers is recomputed.
class QcFuse final : public ScoreSelector {
 public:
  struct Params {
    int anchors = 16;
    std::vector<int> layers;
    template <class V>
    static void fields(Params& p, V& v) {
      v("anchors", p.anchors,
        "of each chunk: the tokens whose keys (before RoPE, all heads of a layer) have the largest cosine to its mean "
        "key, mean over the critical layers; the query meets them and the whole prefix, the same in all layers",
        between(1, 1 << 20));
      v("layers", p.layers, "critical layers, increasing; empty: floor(22*L/36) to floor(25*L/36)");
    }
    void check(ParamErrors& errors, const Location& where) const { check_layer_list(layers, errors, where); }
  };
  explicit QcFuse(Params params) : params_(std::move(params)) {}
  void check_model(const ModelFacts& model) const override { check_layers(params_.layers, model); }

  std::vector<float> score(Probe& probe) const override {
    infoflow::Params band;
    band.layers = params_.layers;
    AttentionProbe what;
    what.layers = infoflow::layers(band, probe.n_layers());
    what.kept = anchors(probe, what.layers);
    return mean_scores(probe.attention(what));
  }

 private:
  /// The prefix, and of each chunk the tokens with the largest cosine to its mean key, summed over the critical layers.
  /// Keys are those of its own prefill before RoPE: offline work.
  std::vector<int> anchors(Probe& probe, const std::vector<int>& layers) const {
    const auto& units = probe.request().units;
    std::vector<TokenRange> ranges;
    for (const Unit& unit : units) {
      ranges.push_back({unit.begin, unit.end});
      for (int i = unit.begin; i < unit.end; ++i) ranges.push_back({i, i + 1});
    }
    std::vector<double> near(ranges.size());
    const auto means = probe.cached_means(Observation::What::k, ranges);
    for (const int layer : layers) {
      const std::span<const float> rows = means[static_cast<std::size_t>(layer)];
      const std::size_t width = ranges.empty() ? 0 : rows.size() / ranges.size();
      std::size_t chunk = 0;  // the range of the unit that a token's range belongs to
      for (std::size_t r = 0; r < ranges.size(); ++r) {
        if (ranges[r].begin == ranges[chunk].end) chunk = r;
        if (r != chunk) near[r] += cosine(rows.subspan(r * width, width), rows.subspan(chunk * width, width));
      }
    }
    std::vector<int> out;
    std::size_t at = 0;
    for (const Unit& unit : units) {
      ++at;
      std::vector<int> rows(static_cast<std::size_t>(unit.size()));
      std::iota(rows.begin(), rows.end(), unit.begin);
      const std::vector<float> scores(near.begin() + static_cast<std::ptrdiff_t>(at),
                                      near.begin() + static_cast<std::ptrdiff_t>(at) + unit.size());
      const std::vector<char> last(rows.size());
      const int count = unit.kind == UnitKind::prefix ? unit.size() : params_.anchors;
      for (const int i : top_rows(rows, scores, last, count)) out.push_back(i);
      at += rows.size();
    }
    return out;
  }

  Params params_;
};

KVMEND_SELECTOR(
    QcFuse, "qcfuse",
    {.summary = "what the query attends to in critical layers, having met only anchors of each chunk",
     .source = "arXiv 2606.05875",
     .labels = "[P] anchors, critical layers, query attention; [O] anchors by mean key, their number, layers, "
               "the question's rows, softmax over the context"});

}  // namespace
}  // namespace kvmend
