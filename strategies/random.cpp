#include "core/split_mix.h"
#include "recompute/selector.h"

namespace kvmend {
namespace {

/// A uniform set: token i's score is a hash of the seed, the prompt's tokens and i. Sets of growing ratio are
/// nested; the same seed and prompt give the same set on every machine.
class Random final : public ScoreSelector {
 public:
  struct Params {
    std::int64_t seed = 1;
    template <class V>
    static void fields(Params& p, V& v) {
      v("seed", p.seed, "seed of the uniform scores", at_least(0));
    }
  };
  explicit Random(Params params) : params_(params) {}

  std::vector<float> score(Probe& probe) const override {
    std::uint64_t state = split_mix(static_cast<std::uint64_t>(params_.seed));
    for (const std::int32_t id : probe.request().context_ids) state = split_mix(state ^ static_cast<std::uint64_t>(id));
    std::vector<float> scores(static_cast<std::size_t>(probe.request().n_context()));
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] = static_cast<float>(split_mix(state + i) >> 40) * 0x1p-24F;  // 24 bits: exact in a float
    }
    return scores;
  }

 private:
  Params params_;
};

KVMEND_SELECTOR(Random, "random",
                {.summary = "uniformly random tokens, seeded: the baseline every selector must beat",
                 .source = "",
                 .labels = "exact; [O] generator: SplitMix64 over seed, prompt and index"});

}  // namespace
}  // namespace kvmend
