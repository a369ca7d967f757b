#include <cmath>
#include <map>

#include "recompute/selector.h"

/// What the question attends to, counted the more the rarer a token is in this context.
struct Rarity final : kvmend::ScoreSelector {
  struct Params {
    double power = 1;
    template <class V>
    static void fields(Params& p, V& v) {
      v("power", p.power, "0: attention alone; 1: times ln(N / how often the token occurs)", kvmend::between(0, 8));
    }
  } params;
  explicit Rarity(Params p) : params(p) {}

  std::vector<float> score(kvmend::Probe& probe) const override {
    const auto& ids = probe.request().context_ids;
    std::map<int, double> count;
    for (const int id : ids) ++count[id];
    std::vector<float> scores(ids.size());
    for (const auto& layer : probe.attention({}))  // each [N], summed over heads and the question's tokens
      for (std::size_t j = 0; j < ids.size(); ++j)
        scores[j] += layer[j] * static_cast<float>(std::pow(std::log(ids.size() / count[ids[j]]), params.power));
    return scores;
  }
};

KVMEND_SELECTOR(Rarity, "rarity", {.summary = "attention times rarity", .source = "ours", .labels = "[O] power"});
