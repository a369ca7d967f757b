#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "recompute/selector.h"
#include "strategies/fusion.h"

namespace kvmend {
namespace {

/// CacheBlend (arXiv 2405.16444 §4): tokens whose keys and values deviate most from the cached ones at an
/// early layer are recomputed in the layers above. Layers below the check layer run in full.
class CacheBlend final : public Selector {
 public:
  enum class Deviation : std::uint8_t { k, v, kv };
  enum class Schedule : std::uint8_t { one_shot, gradual };
  enum class CheckAttention : std::uint8_t { fresh, merged };
  struct Params {
    Deviation deviation = Deviation::kv;
    int check_layer = 1;
    Schedule schedule = Schedule::gradual;
    CheckAttention check_attention = CheckAttention::fresh;
    template <class V>
    static void fields(Params& p, V& v) {
      v("deviation", p.deviation, "keys, values, or both, each divided by its mean over the layer");
      v("check_layer", p.check_layer, "the first layer that picks; the layers below run in full", at_least(0));
      v("schedule", p.schedule, "pick once, or at every layer from 1.5*r down with mean r");
      v("check_attention", p.check_attention, "keys and values at a picking layer: all fresh ones, or only the picked");
    }
  };
  explicit CacheBlend(Params params) : params_(params) {}
  bool only_selects() const override { return false; }

  void check_model(const ModelFacts& model) const override {
    if (params_.check_layer >= model.n_layers) {
      fail(ErrorKind::usage, "check_layer {} is past the model's last layer {}", params_.check_layer,
           model.n_layers - 1);
    }
  }

  Plan plan(Probe& probe, const Budget& budget) const override;

 private:
  std::vector<int> pick(int count, const Probe& probe, ExactRows exact_rows, std::span<const int> rows,
                        std::span<const float> key, std::span<const float> value) const;
  Params params_;
};

/// Tokens kept at each of `layers` picking layers: ⌊r₁·qⁱ·N⌋ with r₁ = min(1, 1.5·r) and q ≤ 1 such that the
/// mean of r₁·qⁱ is r [O: no schedule is published].
std::vector<int> gradual_counts(double ratio, int n, int layers) {
  const double first = std::min(1.0, 1.5 * ratio);
  const auto mean = [&](double q) {
    double sum = 0, power = 1;
    for (int i = 0; i < layers; ++i, power *= q) sum += first * power;
    return sum / layers;
  };
  double low = 0, high = 1;
  for (int step = 0; step < 200; ++step) {
    const double middle = 0.5 * (low + high);
    (mean(middle) < ratio ? low : high) = middle;
  }
  const double quotient = mean(1.0) <= ratio ? 1.0 : high;
  std::vector<int> counts;
  double power = 1;
  for (int i = 0; i < layers; ++i, power *= quotient) counts.push_back(static_cast<int>(std::floor(first * power * n)));
  return counts;
}

std::vector<int> CacheBlend::pick(int count, const Probe& probe, ExactRows exact_rows, std::span<const int> rows,
                                  std::span<const float> key, std::span<const float> value) const {
  const float key_mean = mean_or_one(key), value_mean = mean_or_one(value);
  std::vector<float> scores(rows.size());
  std::vector<char> last(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    switch (params_.deviation) {
      case Deviation::k: scores[i] = key[i]; break;
      case Deviation::v: scores[i] = value[i]; break;
      case Deviation::kv: scores[i] = key[i] / key_mean + value[i] / value_mean; break;
    }
    last[i] = exact_rows == ExactRows::last && probe.is_exact(rows[i]);
  }
  return top_rows(rows, scores, last, count);
}

Plan CacheBlend::plan(Probe& probe, const Budget& budget) const {
  Plan plan;
  if (budget.ratio == 0) return plan;  // full reuse: the check layer alone would already move the logits
  LayerFilter filter;
  filter.first_layer = params_.check_layer;
  filter.fresh = params_.check_attention == CheckAttention::fresh;
  std::vector<int> counts{budget.k};
  if (params_.schedule == Schedule::gradual) {
    counts = gradual_counts(budget.ratio, budget.n, probe.n_layers() - params_.check_layer);
  }
  filter.last_layer = params_.check_layer + static_cast<int>(counts.size()) - 1;
  filter.pick = [this, counts, &probe, budget](int layer, std::span<const int> rows, std::span<const float> key,
                                               std::span<const float> value) {
    const int count = counts[static_cast<std::size_t>(layer - params_.check_layer)];
    return pick(count, probe, budget.exact_rows, rows, key, value);
  };
  plan.filter = std::move(filter);
  return plan;
}

}  // namespace

template <>
struct EnumNames<CacheBlend::Deviation> {
  static constexpr std::array names{std::pair{CacheBlend::Deviation::k, "k"}, std::pair{CacheBlend::Deviation::v, "v"},
                                    std::pair{CacheBlend::Deviation::kv, "kv"}};
};
template <>
struct EnumNames<CacheBlend::Schedule> {
  static constexpr std::array names{std::pair{CacheBlend::Schedule::one_shot, "one_shot"},
                                    std::pair{CacheBlend::Schedule::gradual, "gradual"}};
};
template <>
struct EnumNames<CacheBlend::CheckAttention> {
  static constexpr std::array names{std::pair{CacheBlend::CheckAttention::fresh, "fresh"},
                                    std::pair{CacheBlend::CheckAttention::merged, "merged"}};
};

namespace {

constexpr const char* source = "arXiv 2405.16444";

Value one_shot(const char* deviation, const char* check_attention) {
  Value preset;
  preset.set("deviation", deviation);
  preset.set("schedule", "one_shot");
  preset.set("check_attention", check_attention);
  return preset;
}

KVMEND_SELECTOR(CacheBlend, "cacheblend",
                {.summary = "largest deviation of keys and values from the cache, filtered layer by layer",
                 .source = source,
                 .labels = "[2] gradual filtering; [O] schedule, normalisation of kv",
                 .version = 3});
KVMEND_SELECTOR(
    CacheBlend, "cacheblend_repo",
    {.summary = "CacheBlend's released code: value deviation at layer 1, one shot, its mask and query handling",
     .source = source,
     .labels = "[C] released scripts",
     .version = 3,
     .exemptions = {"2 (r = 0 equals reuse): only the last query token is fresh",
                    "3 (one chunk equals full prefill): the query's other tokens were cached alone, and the "
                    "bottom_right mask lets rows see the future"},
     .defaults = {.as = {},
                  .sink = SinkKind::bos_first_only,
                  .mask = MaskKind::bottom_right,
                  .freshness = Freshness::last_token}},
    one_shot("v", "fresh"));
KVMEND_SELECTOR(
    CacheBlend, "psr",
    {.summary =
         "PSR, a composition: link0's dummy sink, the largest key deviations at layer 1, APE's temper for the query",
     .source = "arXiv 2603.20218",
     .labels = "[2] composition; [O] check layer 1, merged, T = S = 0.9 in one softmax at global positions",
     .version = 3,
     .exemptions = {"1 (r = 1 equals full prefill): the query's attention to chunks is tempered",
                    "2 (r = 0 equals reuse): the query's attention to chunks is tempered",
                    "3 (one chunk equals full prefill): the query's attention to chunks is tempered"},
     .defaults = {.as = {}, .sink = SinkKind::dummy_bos, .sink_tokens = 4, .temperature = 0.9, .temper_scale = 0.9}},
    one_shot("k", "merged"));
KVMEND_SELECTOR(
    CacheBlend, "cacheblend_lmcache",
    {.summary = "LMCache's CacheBlend: key deviation after RoPE at layer 1, one shot, merged, bottom-right mask",
     .source = source,
     .labels = "[C] LMCache",
     .version = 3,
     .exemptions = {"3 (one chunk equals full prefill): the bottom_right mask lets rows see the future"},
     .defaults = {.as = {}, .mask = MaskKind::bottom_right}},
    one_shot("k", "merged"));

}  // namespace
}  // namespace kvmend
