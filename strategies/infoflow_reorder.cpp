#include <algorithm>
#include <numeric>

#include "strategies/fusion.h"
#include "strategies/infoflow.h"

namespace kvmend {
namespace {

/// InfoFlow's chunk reordering (arXiv 2603.05353): the chunks that a first scoring likes best go next to the query, then
/// they are scored again where they stand.
class InfoFlowReorder final : public Selector {
 public:
  struct Params {
    infoflow::Params scoring;
    template <class V>
    static void fields(Params& p, V& v) {
      v("norm", p.scoring.norm, "over the question's tokens: l2 (its code), or the paper's column sum");
      v("layers", p.scoring.layers, "layers that vote, increasing; empty: floor(22*L/36) to floor(25*L/36)");
      v("query", p.scoring.query, "the raw question, tokenised alone; or its rows inside the whole query");
      v("score", p.scoring.score, "attention_norm; vatp: times the values' norm; entropy of the mean attention");
    }
    void check(ParamErrors& errors, const Location& where) const { scoring.check(errors, where); }
  };
  explicit InfoFlowReorder(Params params) : params_(std::move(params)) {}
  bool only_selects() const override { return false; }
  void check_model(const ModelFacts& model) const override {
    check_layers(params_.scoring.layers, model);
    refuse_window("its first scoring's local positions", model);
  }

  Plan plan(Probe& probe, const Budget& budget) const override {
    Budget mine = budget;
    mine.k = budget.ratio == 0 ? 0 : std::max(1, budget.k);
    const auto first = infoflow::score(probe, params_.scoring, infoflow::Geometry::hl_tp);
    Plan plan;
    plan.order = order(probe.request(), select_top(first, mine, probe, {}, prefix_last(probe.request())));
    std::vector<int> units;
    if (probe.request().has_prefix()) units.push_back(0);
    for (const int chunk : *plan.order) units.push_back(chunk + (probe.request().has_prefix() ? 1 : 0));
    Probe& reordered = probe.arranged(units);
    plan.scores = infoflow::score(reordered, params_.scoring, infoflow::Geometry::global);
    plan.selected = select_top(plan.scores, mine, reordered, {}, prefix_last(reordered.request()));
    return plan;
  }

 private:
  static std::vector<char> prefix_last(const Request& request) {
    std::vector<char> last(static_cast<std::size_t>(request.n_context()));
    if (request.has_prefix()) std::fill_n(last.begin(), request.units.front().end, 1);
    return last;
  }

  /// Chunk numbers by the share of them selected, the richest last; ties keep the lower chunk first.
  static std::vector<int> order(const Request& request, const std::vector<int>& selected) {
    std::vector<double> share;
    for (const Unit& unit : request.units) {
      if (unit.kind == UnitKind::prefix) continue;
      const auto begin = std::lower_bound(selected.begin(), selected.end(), unit.begin);
      const auto end = std::lower_bound(selected.begin(), selected.end(), unit.end);
      share.push_back(static_cast<double>(end - begin) / unit.size());
    }
    std::vector<int> out(share.size());
    std::iota(out.begin(), out.end(), 0);
    std::stable_sort(out.begin(), out.end(), [&](int a, int b) {
      return share[static_cast<std::size_t>(a)] < share[static_cast<std::size_t>(b)];
    });
    return out;
  }

  Params params_;
};

KVMEND_SELECTOR(
    InfoFlowReorder, "infoflow_reorder",
    {.summary = "InfoFlow, and chunks ordered so that the richest stand next to the query",
     .source = "arXiv 2603.05353",
     .labels = "[C] no chunk excluded, two scorings; [P] order by selected share; [O] band for other depths, "
               "positions of the first scoring (hl_tp)",
     .defaults = {.as = {}, .sink = SinkKind::shared_prefix, .exact_rows = ExactRows::compete}});

}  // namespace
}  // namespace kvmend
