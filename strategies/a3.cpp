#include "recompute/selector.h"
#include "strategies/fusion.h"

namespace kvmend {
namespace {

/// A3 (arXiv 2511.17560): the question's attention to the documents, whose positions are recovered, picks the tokens.
class A3 final : public ScoreSelector {
 public:
  enum class Query : std::uint8_t { question_alone, in_place };
  struct Params {
    std::vector<int> layers;
    Query query = Query::in_place;
    template <class V>
    static void fields(Params& p, V& v) {
      v("layers", p.layers, "layers that vote, increasing; empty: all");
      v("query", p.query, "the question's rows inside the whole query, or the question tokenised alone");
    }
    void check(ParamErrors& errors, const Location& where) const { check_layer_list(layers, errors, where); }
  };
  explicit A3(Params params) : params_(std::move(params)) {}
  void check_model(const ModelFacts& model) const override { check_layers(params_.layers, model); }

  std::vector<float> score(Probe& probe) const override {
    AttentionProbe what;
    what.query = params_.query == Query::in_place ? AttentionProbe::Query::in_place : AttentionProbe::Query::alone;
    what.softmax = AttentionProbe::Softmax::context_and_query;
    what.layers = params_.layers;
    return mean_scores(probe.attention(what));
  }

 private:
  Params params_;
};

}  // namespace

template <>
struct EnumNames<A3::Query> {
  static constexpr std::array names{std::pair{A3::Query::question_alone, "question_alone"},
                                    std::pair{A3::Query::in_place, "in_place"}};
};

namespace {

KVMEND_SELECTOR(
    A3, "a3",
    {.summary = "the question's attention to the documents, softmax over them and the query",
     .source = "arXiv 2511.17560",
     .labels = "[P] question attention, recovered positions; [O] layers, softmax, sum over heads and rows"});

}  // namespace
}  // namespace kvmend
