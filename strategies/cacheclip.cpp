#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "strategies/token_groups.h"

namespace kvmend {
namespace {

/// CacheClip (arXiv 2510.10129 v2): the last layer of a small auxiliary model says which tokens the query attends to; they
/// are recomputed in groups, for an isolated token of a long number is useless.
class CacheClip final : public ScoreSelector {
 public:
  enum class Softmax : std::uint8_t { per_chunk, joint };
  enum class Query : std::uint8_t { all, last };
  struct Params {
    std::string aux_model;
    Softmax softmax = Softmax::per_chunk;
    int window = 8, density = 5;
    bool refill = true;
    Query query = Query::all;
    template <class V>
    static void fields(Params& p, V& v) {
      v("aux_model", p.aux_model, "the small model that scores: a name, a .gguf file or a folder");
      v("softmax", p.softmax, "the query behind each chunk alone, or behind all of them");
      v("window", p.window, "tokens a group spans", at_least(1));
      v("density", p.density, "candidates that a window must hold to be taken whole", at_least(1));
      v("refill", p.refill, "the best windows fill up what grouping leaves of the budget");
      v("query", p.query, "query tokens whose attention counts");
    }
    void check(ParamErrors& errors, const Location& where) const {
      if (aux_model.empty()) errors.add(where, "cacheclip needs an aux_model: `cacheclip: {aux_model: smollm2-135m}`");
      if (density > window) errors.add(where, "cacheclip: a window of fewer tokens than density never counts");
    }
  };
  explicit CacheClip(Params params) : params_(std::move(params)) {}
  std::vector<std::string> auxiliary_models() const override { return {params_.aux_model}; }
  void check_auxiliary(const std::string&, const ModelFacts& auxiliary, const CommonOptions& options) const override {
    // A chunk that was cached right behind the prefix is asked right there.
    const bool stays =
        params_.softmax == Softmax::per_chunk && options.sink == SinkKind::shared_prefix && options.neighbours == 0;
    if (auxiliary.can_move_keys || stays) return;
    fail(ErrorKind::usage,
         "it learns its positions, so the keys of a chunk cannot be moved to where they would be asked; "
         "softmax: per_chunk with sink: shared_prefix and no neighbours leaves them where they were cached");
  }

  /// Without the grouping, which depends on the ratio.
  std::vector<float> score(Probe& probe) const override {
    const TokenGroups groups = ask(probe, ExactRows::last);
    return overlapping_scores(groups.request, groups.scores, probe.request());
  }

  Plan plan(Probe& probe, const Budget& budget) const override {
    const TokenGroups groups = ask(probe, budget.exact_rows);
    const Request& request = probe.request();
    const std::vector<int> grouped = groups.dense_windows(budget.ratio, params_.window, params_.density);
    Plan plan;
    plan.selected = overlapping_tokens(groups.request, grouped, request);
    if (params_.refill) {
      const int chunk_tokens = request.n_context() - (request.has_prefix() ? request.units.front().end : 0);
      const int wanted = static_cast<int>(std::floor(budget.ratio * chunk_tokens));
      refill(plan.selected, groups, request, wanted);
    }
    plan.scores = overlapping_scores(groups.request, groups.scores, request);
    return plan;
  }

 private:
  TokenGroups ask(Probe& probe, ExactRows exact_rows) const {
    TokenGroups groups;
    probe.auxiliary(params_.aux_model, [&](Probe& auxiliary) {
      groups.request = auxiliary.request();
      groups.scores = attention(auxiliary);
      for (int i = 0; i < groups.request.n_context(); ++i) {
        groups.last.push_back(exact_rows == ExactRows::last && auxiliary.is_exact(i));
      }
    });
    return groups;
  }

  /// Mean over heads and query tokens of the last layer's attention, chunk tokens only.
  std::vector<float> attention(Probe& auxiliary) const {
    AttentionProbe what;
    what.rows = params_.query == Query::all ? AttentionProbe::Rows::suffix : AttentionProbe::Rows::last;
    what.softmax = AttentionProbe::Softmax::context_and_query;
    what.heads = AttentionProbe::Heads::mean;
    what.layers = {auxiliary.n_layers() - 1};
    const Request& request = auxiliary.request();
    const int rows = params_.query == Query::all ? request.n_query() : 1;
    const auto row =
        (params_.softmax == Softmax::joint ? auxiliary.attention(what) : auxiliary.attention_by_chunk(what)).front();
    std::vector<float> out(row.begin(), row.end());
    if (request.has_prefix()) std::fill_n(out.begin(), request.units.front().end, 0.0F);  // exact already: not scored
    for (float& s : out) s /= static_cast<float>(rows);
    return out;
  }

  void refill(std::vector<int>& selected, const TokenGroups& groups, const Request& request, int wanted) const {
    std::vector<char> taken(static_cast<std::size_t>(request.n_context()));
    for (const int i : selected) taken[static_cast<std::size_t>(i)] = 1;
    int count = static_cast<int>(selected.size());
    for (const std::vector<int>& window : groups.windows_by_score(params_.window)) {
      if (count >= wanted) break;
      for (const int i : overlapping_tokens(groups.request, window, request)) {
        if (count >= wanted) break;  // the last window is cut
        if (taken[static_cast<std::size_t>(i)]) continue;
        taken[static_cast<std::size_t>(i)] = 1;
        ++count;
      }
    }
    selected.clear();
    for (int i = 0; i < request.n_context(); ++i) {
      if (taken[static_cast<std::size_t>(i)]) selected.push_back(i);
    }
  }

  Params params_;
};

}  // namespace

template <>
struct EnumNames<CacheClip::Softmax> {
  static constexpr std::array names{std::pair{CacheClip::Softmax::per_chunk, "per_chunk"},
                                    std::pair{CacheClip::Softmax::joint, "joint"}};
};
template <>
struct EnumNames<CacheClip::Query> {
  static constexpr std::array names{std::pair{CacheClip::Query::all, "all"}, std::pair{CacheClip::Query::last, "last"}};
};

namespace {

KVMEND_SELECTOR(
    CacheClip, "cacheclip",
    {.summary = "a small auxiliary model's last-layer attention, recomputed in groups of tokens",
     .source = "arXiv 2510.10129 v2",
     .labels = "[P] auxiliary model, shared prefix, grouping; [2] score, window, density; [O] refill, a "
               "budget without the prefix, a chunk shorter than density needs all its tokens, units tokenised "
               "alone, softmax: joint",
     .version = 2,
     .defaults = {.as = {}, .sink = SinkKind::shared_prefix}});

}  // namespace
}  // namespace kvmend
