#include <numeric>

#include "recompute/selector.h"
#include "strategies/fusion.h"

namespace kvmend {
namespace {

/// ProphetKV (arXiv 2602.02579, algorithm 1): the query, prefilled over the reused cache, says which tokens
/// it attends to; the layers' attention masses are fused into one set for all layers.
class ProphetKv final : public ScoreSelector {
 public:
  enum class Span : std::uint8_t { question, suffix };
  enum class States : std::uint8_t { suffix, alone };
  enum class Softmax : std::uint8_t { context, context_and_query };
  struct Params {
    States query_states = States::suffix;
    Softmax softmax = Softmax::context;
    Span query_span = Span::question;
    bool pin_first_chunk = false;
    std::vector<int> layers;
    Fusion fusion = Fusion::mean;
    template <class V>
    static void fields(Params& p, V& v) {
      v("query_states", p.query_states, "while scoring the query attends to context and itself, or to itself alone");
      v("softmax", p.softmax, "keys the scores' softmax runs over");
      v("query_span", p.query_span, "rows that vote: the question, or everything behind the context");
      v("pin_first_chunk", p.pin_first_chunk, "the first chunk is always selected, within the budget");
      v("layers", p.layers, "layers that vote, increasing; empty: all");
      v("fusion", p.fusion, "how the layers' scores combine");
    }
    void check(ParamErrors& errors, const Location& where) const { check_layer_list(layers, errors, where); }
  };
  explicit ProphetKv(Params params) : params_(std::move(params)) {}

  void check_model(const ModelFacts& model) const override { check_layers(params_.layers, model); }

  std::vector<float> score(Probe& probe) const override {
    AttentionProbe what;
    what.rows = params_.query_span == Span::question ? AttentionProbe::Rows::question : AttentionProbe::Rows::suffix;
    what.states =
        params_.query_states == States::suffix ? AttentionProbe::States::suffix : AttentionProbe::States::alone;
    what.softmax = params_.softmax == Softmax::context ? AttentionProbe::Softmax::context
                                                       : AttentionProbe::Softmax::context_and_query;
    what.layers = params_.layers;
    return fuse(probe.attention(what), params_.fusion);  // each layer's is summed over heads and rows
  }

  bool may_be_negative() const override { return params_.fusion == Fusion::rank; }

  Pinned pinned(const Probe& probe) const override {
    if (!params_.pin_first_chunk) return {};
    const auto& units = probe.request().units;
    const std::size_t first = probe.request().has_prefix() ? 1 : 0;
    if (first >= units.size()) return {};
    Pinned out(static_cast<std::size_t>(units[first].size()));
    std::iota(out.begin(), out.end(), units[first].begin);
    return out;
  }

 private:
  Params params_;
};

}  // namespace

template <>
struct EnumNames<ProphetKv::Span> {
  static constexpr std::array names{std::pair{ProphetKv::Span::question, "question"},
                                    std::pair{ProphetKv::Span::suffix, "suffix"}};
};
template <>
struct EnumNames<ProphetKv::States> {
  static constexpr std::array names{std::pair{ProphetKv::States::suffix, "suffix"},
                                    std::pair{ProphetKv::States::alone, "alone"}};
};
template <>
struct EnumNames<ProphetKv::Softmax> {
  static constexpr std::array names{std::pair{ProphetKv::Softmax::context, "context"},
                                    std::pair{ProphetKv::Softmax::context_and_query, "context_and_query"}};
};

namespace {

KVMEND_SELECTOR(
    ProphetKv, "fusionrag",
    {.summary = "chunks prefilled behind their nearest chunks offline, and ProphetKV's query attention online",
     .source = "arXiv 2601.12904",
     .labels = "[P] re-encoded behind nearest chunks, query-guided recompute; [O] 2 neighbours by words in "
               "common, ProphetKV's score",
     .defaults = {.as = {}, .neighbours = 2}});
KVMEND_SELECTOR(ProphetKv, "prophetkv",
                {.summary = "tokens the query attends to over the reused cache, fused over layers",
                 .source = "arXiv 2602.02579",
                 .labels = "[2] algorithm 1; [O] query_span, query_states, softmax, pin_first_chunk, the formulas of "
                           "fusion rank and max, a budget of all context tokens (C = N)"});

}  // namespace
}  // namespace kvmend
