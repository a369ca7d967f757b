#include <algorithm>
#include <cmath>

#include "recompute/selector.h"

namespace kvmend {
namespace {

/// EPIC / LegoLink (arXiv 2410.15332 §4): static, the first tokens of every chunk but the first unit, at
/// every layer.
class Epic final : public Selector {
 public:
  enum class Count : std::uint8_t { ceil, floor_at_least_one };
  struct Params {
    std::optional<int> k;
    int last = 0;
    Count count = Count::ceil;
    bool first_chunk = false;
    template <class V>
    static void fields(Params& p, V& v) {
      v("k", p.k, "first tokens of each chunk; not set: the sweep's ratio of each chunk", at_least(0));
      v("last", p.last, "last tokens of each chunk, besides the first (ablation a+b)", at_least(0));
      v("count", p.count, "tokens of a chunk at a ratio: ceil(r*len), or max(1, floor(r*len))");
      v("first_chunk", p.first_chunk, "the leading chunk is recomputed too, where there is no prefix");
    }
  };
  explicit Epic(Params params) : params_(params) {}
  bool uses_ratio() const override { return !params_.k; }

  Plan plan(Probe& probe, const Budget& budget) const override {
    Plan plan;
    const auto& units = probe.request().units;
    for (std::size_t u = 0; u < units.size(); ++u) {
      const bool exempt = u == 0 && !(params_.first_chunk && units[u].kind == UnitKind::chunk);
      if (exempt || (uses_ratio() && budget.ratio == 0)) continue;
      const int length = units[u].size();
      const int first = std::min(length, params_.k ? *params_.k : share(budget.ratio, length));
      const int last = std::min(length - first, params_.last);
      for (int i = 0; i < first; ++i) plan.selected.push_back(units[u].begin + i);
      for (int i = length - last; i < length; ++i) plan.selected.push_back(units[u].begin + i);
    }
    return plan;
  }

 private:
  int share(double ratio, int length) const {
    if (params_.count == Count::ceil) return static_cast<int>(std::ceil(ratio * length));
    return std::max(1, static_cast<int>(std::floor(ratio * length)));
  }
  Params params_;
};

}  // namespace

template <>
struct EnumNames<Epic::Count> {
  static constexpr std::array names{std::pair{Epic::Count::ceil, "ceil"},
                                    std::pair{Epic::Count::floor_at_least_one, "floor_at_least_one"}};
};

namespace {

constexpr const char* source = "arXiv 2410.15332";

Value lego2_preset() {
  Value preset;
  preset.set("count", "floor_at_least_one");
  preset.set("first_chunk", true);
  return preset;
}

Value link0_preset() {
  Value preset;
  preset.set("k", 0);
  return preset;
}

KVMEND_SELECTOR(
    Epic, "epic",
    {.summary = "the first tokens of every chunk but the first unit (LegoLink-k)",
     .source = source,
     .labels =
         "[P][C] first k tokens; [O] ceil(r*len) at a ratio, the first chunk is exempt where there is no prefix"});
KVMEND_SELECTOR(Epic, "lego2",
                {.summary = "EPIC as InfoFlow's comparison runs it: max(1, floor(r*len)) of every chunk",
                 .source = source,
                 .labels = "[C] InfoFlow's code"},
                lego2_preset());
KVMEND_SELECTOR(Epic, "link0",
                {.summary = "LegoLink-0: chunks prefilled behind 4 dummy BOS that are dropped; nothing recomputed",
                 .source = source,
                 .labels = "[P][C]",
                 .exemptions = {"1 (r = 1 equals full prefill): it has no ratio, nothing is recomputed"},
                 .defaults = {.as = {}, .sink = SinkKind::dummy_bos, .sink_tokens = 4}},
                link0_preset());

}  // namespace
}  // namespace kvmend
