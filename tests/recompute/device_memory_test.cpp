// What a request takes of a card's memory, and how often the host waits for the card meanwhile.
#include "catch.h"
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
  engine.store().release_unused(engine.backend(), engine.queue());
  CHECK(engine.backend().memory().free > first);
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
