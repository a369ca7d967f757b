// Weights that a card keeps as the file stores them.
#include <cstring>

#include "backend/device_error.h"
#include "catch.h"
#include "paths.h"
#include "recompute/bare_prefill.h"
#include "support/cell_case.h"

using namespace kvmend;
using namespace kvmend::test;

TEST_CASE("quantised weights kept on a card as stored give the bits of those dequantised at load", "[.card]") {
  const auto files = open_model(source_folder() + "/tests/data/models/tiny-llama-mixed.gguf");
  const std::vector<std::int32_t> ids{1, 17, 9, 30, 4, 4, 21, 2};
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  CAPTURE(dtype_name(dtype));
  const auto run = [&](WeightStorage weights, std::int64_t& taken) {
    const auto backend = make_backend({.device = "cuda", .dtype = dtype, .weights = weights});
    const std::int64_t before = backend->memory().free;
    const Model model(*files, *backend);
    taken = before - backend->memory().free;
    CHECK((backend->description().find("weights quantised") != std::string::npos) ==
          (weights == WeightStorage::stored));
    return bare_logits(model, ids, true).values;
  };
  std::int64_t computed = 0, stored = 0;
  const auto expected = run(WeightStorage::computed, computed);
  CHECK(run(WeightStorage::stored, stored) == expected);
  CHECK(stored < computed);
  std::int64_t automatic = 0;
  CHECK(run(WeightStorage::automatic, automatic) == expected);
  CHECK(automatic == computed);  // there is room
}

TEST_CASE("weights that do not fit a card beside its requests are refused before they are read", "[.card]") {
  const auto files = open_model(source_folder() + "/tests/data/models/tiny-llama-mixed.gguf");
  const auto weights = GENERATE(WeightStorage::automatic, WeightStorage::computed, WeightStorage::stored);
  const auto backend = make_backend({.device = "cuda", .weights = weights, .work_bytes = 1LL << 50});
  try {
    const Model model(*files, *backend);
    FAIL("no error");
  } catch (const OutOfMemory& error) {
    CHECK_THAT(error.what(), Catch::Contains("the weights do not fit on "));
    const bool chosen = std::string(error.what()).find("weights: auto, ") != std::string::npos;
    CHECK(chosen == (weights == WeightStorage::computed));
  }
}
