// References that look at the full prefill: for analysis only, their cost is more than what they could save.
#include "recompute/selector.h"
#include "strategies/fusion.h"

namespace kvmend {
namespace {

class OracleAttention final : public ScoreSelector {
 public:
  using Params = NoParams;
  explicit OracleAttention(Params) {}
  std::vector<float> score(Probe& probe) const override {
    AttentionProbe what;
    what.rows = AttentionProbe::Rows::suffix;
    what.cache = CacheSource::full;
    return mean_scores(probe.attention(what));
  }
};

class OracleKv final : public ScoreSelector {
 public:
  using Params = NoParams;
  explicit OracleKv(Params) {}
  std::vector<float> score(Probe& probe) const override {
    const KvDeviation deviation = probe.kv_deviation({});
    std::vector<double> sum(static_cast<std::size_t>(probe.request().n_context()));
    for (const ScoreRows* rows : {&deviation.keys, &deviation.values}) {
      for (const auto& layer : *rows) {
        const double mean = mean_or_one(layer);
        for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += layer[j] / mean;
      }
    }
    return {sum.begin(), sum.end()};
  }
};

class OracleOutput final : public ScoreSelector {
 public:
  using Params = NoParams;
  explicit OracleOutput(Params) {}
  std::vector<float> score(Probe& probe) const override {
    const auto change = probe.output_change();
    return {change.begin(), change.end()};
  }
};

KVMEND_SELECTOR(OracleAttention, "oracle_attention",
                {.summary = "query attention of the full prefill, all layers and query tokens (analysis only)",
                 .source = "",
                 .labels = "[O] ours: softmax over the context, mean over layers"});
KVMEND_SELECTOR(OracleKv, "oracle_kv",
                {.summary = "deviation of keys and values from the full prefill's, all layers (analysis only)",
                 .source = "",
                 .labels = "[O] ours: keys and values each divided by their layer's mean",
                 .version = 2});
KVMEND_SELECTOR(OracleOutput, "oracle_output",
                {.summary = "a token's share in the error of the query's attention output (analysis only)",
                 .source = "",
                 .labels = "[O] ours: sum over layers, heads and query rows of |A*v - A'*v'|"});

}  // namespace
}  // namespace kvmend
