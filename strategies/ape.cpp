#include <algorithm>

#include "core/error.h"
#include "recompute/selector.h"

namespace kvmend {
namespace {

/// APE (arXiv 2502.05431): nothing is recomputed; chunks share positions, and the query weighs them by a temperature and a
/// scale.
class Ape final : public Selector {
 public:
  enum class Lse : std::uint8_t { code, paper };
  struct Params {
    Lse lse_scale = Lse::code;
    template <class V>
    static void fields(Params& p, V& v) {
      v("lse_scale", p.lse_scale, "the chunks' log-sum-exp is scaled by S*T (its code) or by S (its paper)");
    }
  };
  explicit Ape(Params params) : params_(params) {}
  bool only_selects() const override { return false; }
  void check_model(const ModelFacts& model) const override {
    if (model.has_window) {
      fail(ErrorKind::usage, "positions are shared between chunks, which a sliding window cannot tell apart");
    }
  }
  Plan plan(Probe& probe, const Budget&) const override {
    Plan plan;
    plan.placement = Placement::parallel;
    plan.split_softmax = params_.lse_scale == Lse::code ? LseScale::code : LseScale::paper;
    int position = 0;
    const auto positions = probe.positions(Placement::parallel);
    for (const auto p : positions) position = std::max(position, p + 1);
    plan.query_position = position;
    return plan;
  }

 private:
  Params params_;
};

}  // namespace

template <>
struct EnumNames<Ape::Lse> {
  static constexpr std::array names{std::pair{Ape::Lse::code, "code"}, std::pair{Ape::Lse::paper, "paper"}};
};

namespace {

KVMEND_SELECTOR(
    Ape, "ape",
    {.summary = "nothing recomputed: chunks at shared positions, the query's attention tempered and rescaled",
     .source = "arXiv 2502.05431",
     .labels = "[C] shared prefix and positions, T = S = 0.9, S*T on the lse; [P] S alone: lse_scale",
     .uses_ratio = false,
     .exemptions = {"1 (r = 1 equals full prefill): it has no ratio, nothing is recomputed",
                    "2 (r = 0 equals reuse): chunks share positions, and the query's attention to them is tempered",
                    "3 (one chunk equals full prefill): with T = S = 1 only"},
     .defaults = {.as = {}, .sink = SinkKind::shared_prefix, .temperature = 0.9, .temper_scale = 0.9}});

}  // namespace
}  // namespace kvmend
