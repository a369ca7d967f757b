// A cell's result depends on its key and nothing else: alone, beside others, in another order, in groups of any size.
#include <map>

#include "catch.h"
#include "paths.h"
#include "support/cell_case.h"
#include "support/random_model.h"
#include "support/same_result.h"
#include "support/tested_devices.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

std::vector<Outcome> run_all(Engine& engine, const Request& request, const std::vector<CellSpec>& cells,
                             std::int64_t group_bytes = 1LL << 30) {
  RunnerOptions options;
  options.bos = 1;
  options.group_bytes = group_bytes;
  options.decode.max_new_tokens = tests_in_full() ? 12 : 4;
  options.decode.stops = {2};
  return run_request(engine, request, cells, options);
}

std::vector<CellSpec> some_cells() {
  std::vector<CellSpec> cells{{strategy("full"), 0},        {strategy("reuse"), 0}, {strategy("no_context"), 0},
                              {strategy("reuse_local"), 0}, {strategy("link0"), 0}, {strategy("ape"), 0}};
  for (const double ratio : tests_in_full() ? std::vector{0.1, 0.4} : std::vector{0.4}) {
    for (const char* name : {"random", "epic", "cacheblend", "cacheblend_repo", "cacheblend_lmcache", "prophetkv",
                             "infoflow", "infoflow_reorder", "kvshare", "samkv", "psr"}) {
      cells.push_back({strategy(name), ratio});
    }
  }
  return cells;
}

void check_same(const Outcome& a, const Outcome& b) {
  CHECK(a.error.empty());
  check_same_result(a, b);
  CHECK(a.scores == b.scores);
}

}  // namespace

TEST_CASE("a cell's answer, choice, scores and cost do not depend on its neighbours", "[card]") {
  for (const auto& [device, dtype] : tested_settings()) {
    if (device == "reference" && dtype == DType::bf16) continue;
    const RandomModel files(4);
    const Request request =
        tests_in_full() ? random_request({12, 50, 41, 63}, true, 14) : random_request({7, 26, 19, 33}, true, 9);
    const auto cells = some_cells();
    Engine engine(files, {device, dtype, 2});
    const auto together = run_all(engine, request, cells);
    const auto one_by_one_groups = run_all(engine, request, cells, 1);
    std::vector<CellSpec> reversed(cells.rbegin(), cells.rend());
    const auto backwards = run_all(engine, request, reversed);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      CAPTURE(device, cells[i].strategy->label, cells[i].ratio);
      Engine fresh(files, {device, dtype, 2});
      check_same(together[i], run_all(fresh, request, {cells[i]}).front());
      check_same(together[i], one_by_one_groups[i]);
      check_same(together[i], backwards[cells.size() - 1 - i]);
    }
  }
}

TEST_CASE("a cell's logits are the same bits alone and beside cells that share its caches and probes", "[card]") {
  for (const auto& [device, dtype] : tested_settings()) {
    if (device == "reference" && dtype == DType::bf16) continue;
    const RandomModel files(4);
    const Request request = random_request({7, 26, 19, 33}, true, 9);
    std::map<ReuseKey, std::vector<CellSpec>> by_key;
    for (const CellSpec& cell : some_cells()) by_key[reuse_key(cell.strategy->options)].push_back(cell);
    Engine engine(files, {device, dtype, 2});
    for (const auto& [key, cells] : by_key) {
      ReusedContext context(engine, request, key, 1);
      RequestProbe probe(engine, context, "");
      for (const CellSpec& spec : cells) {
        CAPTURE(device, dtype_name(dtype), spec.strategy->label, spec.ratio);
        CellRun cell(engine, probe, spec.strategy, spec.ratio, 1);
        cell.prefill();
        std::vector<float> logits(static_cast<std::size_t>(cell.logits().cols()));
        engine.queue().download(logits, cell.logits());
        Engine fresh(files, {device, dtype, 2});
        CHECK(logits == run_cell(fresh, request, spec.strategy, spec.ratio).logits);
      }
    }
  }
}

TEST_CASE("decoding goes on exactly as prefilling the longer prompt would") {
  for (const int window : {0, 24}) {
    RandomModel files(4);
    files.mutable_config().sliding_window = window;
    Engine engine(files, {"reference", DType::f32, 1});
    Request request = random_request({12, 30, 21}, true, 5);
    const auto answer = run_all(engine, request, {{strategy("full"), 0}}).front().prediction_ids;
    REQUIRE(answer.size() >= 2);
    for (std::size_t i = 0; i + 1 < answer.size(); ++i) {
      request.query_ids.push_back(answer[i]);
      const auto next = run_cell(engine, request, strategy("full"), 1);
      CHECK(next.outcome.first_token == answer[i + 1]);
    }
  }
}

TEST_CASE("an answer ends at a stop token, at its length, or where it is told to") {
  const RandomModel files(4);
  Engine engine(files, {"cpu", DType::f32, 2});
  const Request request = random_request({12, 30}, true, 5);
  const CellSpec cell{strategy("full"), 0};
  RunnerOptions options;
  options.decode.max_new_tokens = 6;
  const auto free = run_request(engine, request, std::span(&cell, 1), options).front().prediction_ids;
  REQUIRE(free.size() == 6);
  options.decode.stops = {free[3]};
  const auto stopped = run_request(engine, request, std::span(&cell, 1), options).front().prediction_ids;
  const auto first_stop = std::find(free.begin(), free.end(), free[3]);
  CHECK(stopped == std::vector<std::int32_t>(free.begin(), first_stop));
  options.decode.stops = {};
  options.decode.finished = [](std::span<const std::int32_t> ids) { return ids.size() == 2; };
  CHECK(run_request(engine, request, std::span(&cell, 1), options).front().prediction_ids.size() == 2);
}

TEST_CASE("an answer that would leave the model's context is refused before anything runs, one that just fits is not") {
  for (const char* architecture : {"llama", "gpt2"}) {  // a table of rotations, and one of learned positions
    CAPTURE(architecture);
    RandomModel files = random_model(architecture, 4);
    files.mutable_config().context_length = 50;
    Engine engine(files, {"cpu", DType::f32, 2});
    const Request request = random_request({12, 30}, true, 5);
    const CellSpec cell{strategy("full"), 0};
    RunnerOptions options;
    options.decode.max_new_tokens = 4;  // the last one is never fed back: positions up to 49
    const auto outcome = run_request(engine, request, std::span(&cell, 1), options).front();
    CHECK(outcome.error.empty());
    CHECK(outcome.prediction_ids.size() == 4);
    options.decode.max_new_tokens = 5;
    CHECK_THROWS_WITH(run_request(engine, request, std::span(&cell, 1), options),
                      Catch::Contains("the prompt has 47 tokens and the answer may take 5, the model was made for 50"));
  }
}

TEST_CASE("a cell that throws is recorded, the others go on") {
  const RandomModel files(4);
  Engine engine(files, {"cpu", DType::f32, 2});
  const Request request = random_request({12, 30}, true, 5);
  Value no_scores;
  const std::string path = binary_folder() + "/decode_scores.jsonl";
  std::FILE* file = std::fopen(path.c_str(), "w");
  std::fputs("{\"id\": \"\", \"scores\": [1, 2]}\n", file);
  std::fclose(file);
  no_scores.set("path", path);
  const std::vector<CellSpec> cells{{strategy("from_file", no_scores), 0.5}, {strategy("epic"), 0.5}};
  const auto outcomes = run_all(engine, request, cells);
  CHECK(outcomes[0].error.find("has 2 scores, its context 42 tokens") != std::string::npos);
  CHECK(outcomes[1].error.empty());
  CHECK(outcomes[1].prediction_ids.size() > 0);
}
