// What a request takes of a card's memory.
#include <dlfcn.h>

#include <cstdlib>

#include "catch.h"
#include "support/cell_case.h"
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

/// What the driver was asked for so far: the emulator counts (tests/simt/emulator/kept_memory.h).
std::int64_t allocations_so_far() {
  const char* library = std::getenv("KVMEND_CUDA_LIBRARY");
  REQUIRE(library != nullptr);
  void* loaded = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
  REQUIRE(loaded != nullptr);
  const auto count = reinterpret_cast<std::int64_t (*)()>(dlsym(loaded, "simtAllocations"));
  REQUIRE(count != nullptr);
  const std::int64_t so_far = count();
  dlclose(loaded);
  return so_far;
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
      const std::int64_t before = allocations_so_far();
      for (const Outcome& outcome : run_request(engine, request, some_cells(), options)) CHECK(outcome.error.empty());
      return allocations_so_far() - before;
    };
    CHECK(asked() > 0);
    asked();  // with all chunk caches there
    CHECK(asked() == 0);
  }
}
