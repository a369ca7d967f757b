// What `list` says of a strategy is what it is when it is named without parameters.
#include "support/cell_case.h"

using namespace kvmend;
using namespace kvmend::test;

TEST_CASE("a strategy is listed as its preset makes it") {
  int made = 0;
  for (const auto& info : list_strategies()) {
    CAPTURE(info.name);
    ParamErrors errors;
    const auto plain = make_strategy(info.name, {}, {}, errors);
    if (!plain) continue;  // needs an auxiliary model, a file or parts
    ++made;
    CHECK(info.uses_ratio == plain->info.uses_ratio);
    if (info.name == "link0") CHECK_FALSE(info.uses_ratio);  // its preset's k = 0
    if (info.name == "epic" || info.name == "lego2") CHECK(info.uses_ratio);
  }
  CHECK(made > 25);
  Value k;
  k.set("k", 4);
  CHECK_FALSE(strategy("epic", k)->info.uses_ratio);
  CHECK_FALSE(strategy("link0", k)->info.uses_ratio);
}
