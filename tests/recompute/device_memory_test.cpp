// What a request takes of a card's memory.
#include "catch.h"
#include "recompute/selector.h"
#include "support/cell_case.h"
#include "support/random_model.h"

using namespace kvmend;
using namespace kvmend::test;

TEST_CASE("a card's memory is the same after every request: all but the chunk caches comes back", "[.card]") {
  const RandomModel files(5);
  const Request request = random_request({7, 20, 11}, true, 2);
  Engine engine(files, {"cuda", DType::bf16});
  std::vector<CellSpec> cells{{strategy("full"), 1}};
  for (const char* name : {"reuse", "epic", "cacheblend", "prophetkv", "infoflow", "samkv"})
    cells.push_back({strategy(name), 0.3});
  RunnerOptions options;
  options.decode.max_new_tokens = 3;
  const auto free_after_a_run = [&] {
    for (const Outcome& outcome : run_request(engine, request, cells, options)) CHECK(outcome.error.empty());
    return engine.backend().memory().free;
  };
  const std::int64_t first = free_after_a_run();  // cuBLAS's workspace and the chunk caches stay
  CHECK(free_after_a_run() == first);
  CHECK(free_after_a_run() == first);
  engine.make_room();
  CHECK(engine.backend().memory().free > first);
}

TEST_CASE("what a request takes: the placed caches and a cell's own, once more what a correction reads, and the work") {
  const ModelConfig c = RandomModel(1).config();
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const std::int64_t token = kv_bytes_per_token(c, dtype);
    CHECK(request_bytes(c, dtype, 300) > 2 * 300 * token);
    CHECK(request_bytes(c, dtype, 300, true) == request_bytes(c, dtype, 300) + 300 * token);
    CHECK(request_bytes(c, dtype, 600) > request_bytes(c, dtype, 300) + 2 * 300 * token);
  }
  CHECK(strategy("agentkvshift")->selector->corrects_reused());
  CHECK_FALSE(strategy("cacheblend")->selector->corrects_reused());
}

TEST_CASE("chunk caches take half of what the weights leave, and no more than a request leaves of it") {
  CHECK(cache_budget({1000, 4000}, 100) == 500);
  CHECK(cache_budget({1000, 4000}, 700) == 300);
  CHECK(cache_budget({1000, 4000}, 1200) == 0);
}

TEST_CASE("chunk caches that a card has no room for beside a request are streamed from the host", "[.card]") {
  const RandomModel files(5);
  const Request request = random_request({7, 20, 11}, true, 2);
  Engine roomy(files, {.device = "cuda"}),
      tight(files, {.device = "cuda", .work_bytes = roomy.backend().memory().free});
  const CellSpec cell{strategy("epic"), 0.3};
  const Outcome expected = run_request(roomy, request, {&cell, 1}, {}).front();
  const Outcome outcome = run_request(tight, request, {&cell, 1}, {}).front();
  CHECK(outcome.error.empty());
  CHECK(outcome.prediction_ids == expected.prediction_ids);
  CHECK(roomy.store().stats().spilled == 0);
  CHECK(tight.store().stats().spilled == 3);
}

TEST_CASE("cells decoded together take an eighth of a card's memory, and a gigabyte at least") {
  constexpr std::int64_t gib = 1LL << 30;
  CHECK(overlay_budget({}) == gib);  // the host's: it does not say
  CHECK(overlay_budget({6 * gib, 8 * gib}) == gib);
  CHECK(overlay_budget({56 * gib, 80 * gib}) == 7 * gib);
  CHECK(RunnerOptions().group_bytes == gib);
}
