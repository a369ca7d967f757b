#include <cmath>

#include "recompute/selector.h"

namespace kvmend {
namespace {

/// AgentKVShift (arXiv 2607.21604): a few tokens of each chunk are recomputed as probes, and the mean change of their keys
/// and values is added to the chunk's other tokens.
class AgentKvShift final : public Selector {
 public:
  enum class Probes : std::uint8_t { even, first };
  struct Params {
    Probes probes = Probes::even;
    template <class V>
    static void fields(Params& p, V& v) {
      v("probes", p.probes, "floor(r*len) tokens of each chunk: evenly spread, or its first");
    }
  };
  explicit AgentKvShift(Params params) : params_(params) {}
  bool only_selects() const override { return false; }
  bool corrects_reused() const override { return true; }

  Plan plan(Probe& probe, const Budget& budget) const override {
    Plan plan;
    for (const Unit& unit : probe.request().units) {
      if (budget.exact_rows == ExactRows::last && probe.is_exact(unit.begin)) continue;
      const int count = static_cast<int>(std::floor(budget.ratio * unit.size()));
      for (int p = 0; p < count; ++p) {
        const int at =
            params_.probes == Probes::first ? p : static_cast<int>(static_cast<std::int64_t>(p) * unit.size() / count);
        plan.selected.push_back(unit.begin + at);
      }
    }
    plan.correct_reused = !plan.selected.empty();
    return plan;
  }

 private:
  Params params_;
};

}  // namespace

template <>
struct EnumNames<AgentKvShift::Probes> {
  static constexpr std::array names{std::pair{AgentKvShift::Probes::even, "even"},
                                    std::pair{AgentKvShift::Probes::first, "first"}};
};

namespace {

KVMEND_SELECTOR(
    AgentKvShift, "agentkvshift",
    {.summary = "probe tokens of each chunk are recomputed; their mean change moves the chunk's other tokens",
     .source = "arXiv 2607.21604",
     .labels = "[2] chunk-mean offset from probe tokens; [O] which probes, keys before RoPE, every layer its own "
               "offset"});

}  // namespace
}  // namespace kvmend
