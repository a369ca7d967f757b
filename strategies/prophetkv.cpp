#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "recompute/selector.h"

namespace kvmend {
namespace {

/// ProphetKV (arXiv 2602.02579, algorithm 1): the query, prefilled over the reused cache, says which tokens
/// it attends to; the layers' attention masses are fused into one set for all layers.
class ProphetKv final : public ScoreSelector {
 public:
  enum class Fusion : std::uint8_t { mean, max, rank };
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
    void check(ParamErrors& errors, const Location& where) const {
      if (!std::is_sorted(layers.begin(), layers.end()) || (!layers.empty() && layers.front() < 0)) {
        errors.add(where, "layers must be increasing and at least 0");
      }
    }
  };
  explicit ProphetKv(Params params) : params_(std::move(params)) {}

  void check_model(const ModelFacts& model) const override {
    if (!params_.layers.empty() && params_.layers.back() >= model.n_layers) {
      fail(ErrorKind::usage, "prophetkv: layer {} is past the model's last layer {}", params_.layers.back(),
           model.n_layers - 1);
    }
  }

  std::vector<float> score(Probe& probe) const override {
    AttentionProbe what;
    what.rows = params_.query_span == Span::question ? AttentionProbe::Rows::question : AttentionProbe::Rows::suffix;
    what.states =
        params_.query_states == States::suffix ? AttentionProbe::States::suffix : AttentionProbe::States::alone;
    what.softmax = params_.softmax == Softmax::context ? AttentionProbe::Softmax::context
                                                       : AttentionProbe::Softmax::context_and_query;
    what.layers = params_.layers;
    const auto alpha = probe.attention(what);  // [layers][N]: summed over heads and rows
    switch (params_.fusion) {
      case Fusion::mean: return mean(alpha);
      case Fusion::max: return maximum(alpha);
      case Fusion::rank: return mean_rank(alpha);
    }
    return {};
  }

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
  using Layers = std::vector<std::span<const float>>;

  static std::vector<float> mean(const Layers& alpha) {
    std::vector<double> sum(alpha.front().size());
    for (const auto& layer : alpha) {
      for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += layer[j];
    }
    std::vector<float> out;
    for (const double s : sum) out.push_back(static_cast<float>(s / static_cast<double>(alpha.size())));
    return out;
  }

  static std::vector<float> maximum(const Layers& alpha) {
    std::vector<float> out(alpha.front().begin(), alpha.front().end());
    for (const auto& layer : alpha) {
      for (std::size_t j = 0; j < out.size(); ++j) out[j] = std::max(out[j], layer[j]);
    }
    return out;
  }

  /// Minus the mean descending rank: 0 is best, ties by lower index.
  static std::vector<float> mean_rank(const Layers& alpha) {
    std::vector<double> sum(alpha.front().size());
    std::vector<int> order(sum.size());
    for (const auto& layer : alpha) {
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return layer[static_cast<std::size_t>(a)] > layer[static_cast<std::size_t>(b)];
      });
      for (std::size_t rank = 0; rank < order.size(); ++rank)
        sum[static_cast<std::size_t>(order[rank])] += static_cast<double>(rank);
    }
    std::vector<float> out;
    for (const double s : sum) out.push_back(static_cast<float>(-s / static_cast<double>(alpha.size())));
    return out;
  }

  Params params_;
};

}  // namespace

template <>
struct EnumNames<ProphetKv::Fusion> {
  static constexpr std::array names{std::pair{ProphetKv::Fusion::mean, "mean"},
                                    std::pair{ProphetKv::Fusion::max, "max"},
                                    std::pair{ProphetKv::Fusion::rank, "rank"}};
};
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

KVMEND_SELECTOR(ProphetKv, "prophetkv",
                {.summary = "tokens the query attends to over the reused cache, fused over layers",
                 .source = "arXiv 2602.02579",
                 .labels = "[2] algorithm 1; [O] query_span, softmax, query_states"});

}  // namespace
}  // namespace kvmend
