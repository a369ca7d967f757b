// What a request takes of a card's memory, and how often the host waits for the card meanwhile.
#include "catch.h"
#include "recompute/selector.h"
#include "support/cell_case.h"
#include "support/emulator_count.h"
#include "support/random_model.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

std::vector<CellSpec> some_cells() {
  std::vector<CellSpec> cells{{strategy("full"), 1}};
  for (const char* name : {"reuse", "epic", "cacheblend", "prophetkv", "infoflow", "samkv"})
    cells.push_back({strategy(name), 0.3});
  return cells;
}

}  // namespace

TEST_CASE("a card's memory is the same after every request: all but the chunk caches comes back", "[.card]") {
  const RandomModel files(5);
  const Request request = random_request({7, 20, 11}, true, 2);
  Engine engine(files, {"cuda", DType::bf16});
  const std::vector<CellSpec> cells = some_cells();
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

TEST_CASE("a request like the one before it asks the driver for no memory", "[.emulated_card]") {
  const RandomModel files(5);
  const Request request = random_request({7, 20, 11}, true, 2);
  for (const LoadFrom from : {LoadFrom::device, LoadFrom::host}) {
    Engine engine(files, {"cuda", DType::bf16}, {.load_from = from});
    RunnerOptions options;
    options.decode.max_new_tokens = 3;
    const auto asked = [&] {
      const std::int64_t before = emulator_count("simtAllocations");
      for (const Outcome& outcome : run_request(engine, request, some_cells(), options)) CHECK(outcome.error.empty());
      return emulator_count("simtAllocations") - before;
    };
    CHECK(asked() > 0);
    asked();  // with all chunk caches there
    CHECK(asked() == 0);
  }
}

TEST_CASE("the host waits for a card no more often where there are more layers to load", "[.emulated_card]") {
  const Request request = random_request({7, 20, 11}, true, 2);
  const auto waits = [&](const char* name, int layers) {
    RandomModel files(5);
    files.mutable_config().n_layers = layers;
    Engine engine(files, {"cuda", DType::bf16}, {.load_from = LoadFrom::host});
    const auto cell = [&] { return run_cell(engine, request, strategy(name), 0.3).outcome; };
    cell();  // stores the chunk caches
    const std::int64_t before = emulator_count("simtWaits");
    const Outcome outcome = cell();
    CHECK(outcome.seconds.load > 0);
    CHECK(outcome.seconds.place > 0);
    return emulator_count("simtWaits") - before;
  };
  for (const char* name : {"reuse", "epic", "agentkvshift"}) {
    CAPTURE(name);
    CHECK(waits(name, 3) == waits(name, 6));
  }
}
