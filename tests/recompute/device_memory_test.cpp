// What a request takes of a card's memory.
#include "catch.h"
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
  engine.store().release_unused(engine.backend(), engine.queue());
  CHECK(engine.backend().memory().free > first);
}

TEST_CASE("cells decoded together take an eighth of a card's memory, and a gigabyte at least") {
  constexpr std::int64_t gib = 1LL << 30;
  CHECK(overlay_budget({}) == gib);  // the host's: it does not say
  CHECK(overlay_budget({6 * gib, 8 * gib}) == gib);
  CHECK(overlay_budget({56 * gib, 80 * gib}) == 7 * gib);
  CHECK(RunnerOptions().group_bytes == gib);
}
