#include <fmt/format.h>

#include "core/random.h"
#include "datasets/registry.h"

namespace kvmend {

struct Boxes final : Task {
  struct Params {
    int boxes = 40, samples = 100, seed = 42, max_new_tokens = 8;
    template <class V>
    static void fields(Params& p, V& v) {
      v("boxes", p.boxes, "boxes in the list", between(1, 10000));
      v("samples", p.samples, "samples", at_least(1));
      v("seed", p.seed, "sample i depends on the seed and i only", at_least(0));
      v("max_new_tokens", p.max_new_tokens, "tokens the answer may take", at_least(1));
    }
  };
  Boxes(const std::string&, const Params& params, const TaskContext&) : p(params) {}
  int size() const override { return p.samples; }
  std::string data_identity() const override { return "generated"; }
  TaskSample sample(int i) const override {
    Random random(static_cast<std::uint64_t>(p.seed), 0, static_cast<std::uint64_t>(i));
    const auto asked = random.between(1, p.boxes);
    TaskSample s;
    s.id = s.cluster = fmt::format("boxes-{}-{}", p.seed, i);
    for (int box = 1; box <= p.boxes; ++box) {
      const std::string coins = std::to_string(random.between(100, 999));
      const std::string line = fmt::format("Box {} holds {} coins.\n", box, coins);
      if (box == asked) s.references = {coins}, s.evidence = {{s.context.size(), s.context.size() + line.size()}};
      s.context += line;
    }
    s.query = fmt::format("How many coins does box {} hold?", asked);
    s.max_new_tokens = p.max_new_tokens;
    s.metric = "string_match_all";
    return s;
  }
  Params p;
};

KVMEND_TASK("mine/boxes", Boxes,
            {.summary = "coins in numbered boxes", .source = "ours", .metric = "string_match_all"});

}  // namespace kvmend
