// What time is reckoned by before anything has run.
#include "experiment/run/cost_estimate.h"

#include "catch.h"
#include "recompute/engine.h"
#include "support/cell_case.h"
#include "support/random_model.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

/// 80 tokens of context and 20 behind it.
Prompt some_prompt(int new_tokens) {
  Prompt prompt;
  prompt.request = random_request({30, 50}, true, 20);
  prompt.sample.max_new_tokens = new_tokens;
  return prompt;
}

}  // namespace

TEST_CASE("a cell costs its share of the context and the query, twice the query where that also chooses") {
  const RandomModel files(1);
  const double prefill = full_prefill_flops(files.config(), 100);
  const CostEstimate cost(files.config(), some_prompt(0));
  CHECK(cost.shared() == Approx(prefill));
  CHECK(cost.cell(*strategy("full"), std::nullopt) == Approx(prefill));
  CHECK(cost.cell(*strategy("prefix"), std::nullopt) == Approx(prefill));
  CHECK(cost.cell(*strategy("reuse"), std::nullopt) == Approx(0.2 * prefill));
  CHECK(cost.cell(*strategy("epic"), 0.0) == Approx(0.4 * prefill));
  CHECK(cost.cell(*strategy("epic"), 0.25) == Approx((0.25 * 0.8 + 0.4) * prefill));
  CHECK(cost.cell(*strategy("epic"), 1.0) == Approx(1.2 * prefill));
}

TEST_CASE("a token of the answer costs as much as eight of the prompt, in every cell") {
  const RandomModel files(1);
  const double prefill = full_prefill_flops(files.config(), 100);
  const CostEstimate without(files.config(), some_prompt(0)), with(files.config(), some_prompt(5));
  CHECK(with.shared() == without.shared());
  for (const std::optional<double> ratio : {std::optional<double>(), std::optional(0.4)}) {
    const auto what = strategy(ratio ? "epic" : "full");
    CHECK(with.cell(*what, ratio) - without.cell(*what, ratio) == Approx(5 * 8 * prefill / 100));
  }
}

TEST_CASE("a prompt of no tokens costs something finite") {
  const RandomModel files(1);
  const CostEstimate cost(files.config(), Prompt());
  CHECK(cost.shared() > 0);
  CHECK(std::isfinite(cost.cell(*strategy("epic"), 0.4)));
}
