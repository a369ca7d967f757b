// Options that every strategy takes.
#include "composition.h"

using namespace kvmend;
using namespace kvmend::test;

TEST_CASE("any strategy takes a temper, a write-back and a freshness") {
  for (const char* name : {"epic", "prophetkv", "cacheblend", "combine"}) {
    CAPTURE(name);
    Value params = name == std::string("combine") ? map({{"scores", list({"prophetkv"})}}) : map({});
    const auto plain = run_cell(engine(), request(), strategy(name, params), 0.3);
    const auto with = [&](const char* key, const Value& value) {
      Value changed = params;
      changed.set(key, value);
      return run_cell(engine(), request(), strategy(name, changed), 0.3);
    };
    CHECK(with("temperature", Value(1.0)).logits == plain.logits);
    for (const auto& [key, value] : {std::pair<const char*, Value>{"temperature", Value(0.8)},
                                     {"temper_scale", Value(0.7)},
                                     {"write_back", "fusion"},
                                     {"freshness", "last_token"}}) {
      CAPTURE(key);
      const auto changed = with(key, value);
      CHECK(largest_difference(changed.logits, plain.logits) > 1e-3);
      // CacheBlend chooses inside the pass, from states that a write-back changes.
      const bool same_choice =
          key != std::string("freshness") && !(name == std::string("cacheblend") && key == std::string("write_back"));
      if (same_choice) CHECK(changed.outcome.selected == plain.outcome.selected);
    }
  }
}
