// Every selector against a second implementation, written in NumPy from the specification by other hands (make, second/).
// Its answers are in golden/; nothing here needs Python.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "datasets/json_value.h"
#include "datasets/sample_json.h"
#include "model/locate.h"
#include "paths.h"
#include "recompute/cell_run.h"
#include "recompute/runner.h"
#include "support/cell_case.h"
#include "support/read_gz.h"
#include "support/require_model.h"
#include "support/tested_devices.h"

using namespace kvmend;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

constexpr double score_tolerance = 1e-4;  // of the largest |score|
constexpr double logit_tolerance = 1e-4;  // of the largest |logit|
constexpr double least_jaccard = 0.98;
constexpr double least_gap = 2e-3;  // of the two largest logits, where decoding must choose the same
constexpr double parts = 50'000;    // golden scores are whole parts of the largest |score|

fs::path here() { return fs::path(source_folder()) / "tests/independent"; }

fs::path model_path(const std::string& name) {
  return name.starts_with("tiny") ? fs::path(source_folder()) / "tests/data/models" / name : locate_model(name);
}

/// Sorted indices from begin, end, begin, end …
std::vector<int> from_ranges(const Json& ranges) {
  std::vector<int> out;
  for (std::size_t i = 0; i < ranges.size(); i += 2) {
    for (int index = ranges[i]; index < ranges[i + 1].get<int>(); ++index) out.push_back(index);
  }
  return out;
}

std::vector<int> difference(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<int> out;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

/// Chosen differently: few, and only where the golden's score is at a threshold.
void check_set(const std::vector<int>& ours, const std::vector<int>& golden, const std::set<int>& close) {
  const std::vector<int> differ = difference(ours, golden);
  std::vector<int> together;
  std::set_union(ours.begin(), ours.end(), golden.begin(), golden.end(), std::back_inserter(together));
  const double share = together.empty() ? 0 : static_cast<double>(differ.size()) / static_cast<double>(together.size());
  CHECK(1 - share >= least_jaccard);
  for (const int index : differ) {
    CAPTURE(index);
    CHECK(close.contains(index));
  }
}

void check_scores(const std::vector<float>& ours, const Json& golden) {
  const double scale = golden["scale"], slack = golden.value("slack", 0.0);
  REQUIRE(ours.size() == golden["scores"].size());
  test::LargestDifference worst;
  for (std::size_t i = 0; i < ours.size(); ++i) worst.add(ours[i], golden["scores"][i].get<double>() / parts * scale);
  CHECK(worst.value() <= score_tolerance * scale + slack);
}

/// A name and its parameters as a config has them; auxiliary models are named by their test folder.
std::shared_ptr<const Strategy> strategy_of(const Json& golden) {
  Value params = parse_json(golden["params"].dump(), "golden");
  if (const Value* aux = params.find("aux_model")) params.set("aux_model", model_path(aux->as_string()).string());
  ParamErrors errors;
  auto made = make_strategy(golden["strategy"], {}, params, errors);
  for (const auto& message : errors.messages) FAIL_CHECK(message);
  REQUIRE(made);
  return made;
}

/// One request's cells share caches and probes, as in a sweep.
class Cells {
 public:
  Cells(Engine& engine, const Request& request, int bos) : engine_(engine), request_(request), bos_(bos) {}

  void check(const Json& golden) {
    CAPTURE(golden["strategy"], golden["params"].dump(), golden["ratio"]);
    const auto strategy = strategy_of(golden);
    const ReuseKey key = reuse_key(strategy->options);
    if (!shared_.contains(key)) shared_.try_emplace(key, engine_, request_, key, bos_);
    CellRun cell(engine_, shared_.at(key).probe, strategy, golden["ratio"], 1);
    cell.prefill();
    const Outcome& outcome = cell.outcome();

    const auto near = golden.value("close", std::vector<int>());
    const std::set<int> close(near.begin(), near.end());
    check_set(outcome.selected, from_ranges(golden["selected"]), close);
    if (golden.contains("scores")) check_scores(outcome.scores, golden);
    if (golden.contains("per_layer") && outcome.selected_per_layer)
      check_layers(*outcome.selected_per_layer, golden, close);
    if (golden.contains("kept")) CHECK(outcome.kept == from_ranges(golden["kept"]));
    if (golden.contains("order")) CHECK(outcome.order == golden["order"].get<std::vector<int>>());
    if (golden.contains("selected_query")) {
      CHECK(outcome.selected_query == golden["selected_query"].get<std::vector<int>>());
    }
    if (difference(outcome.selected, from_ranges(golden["selected"])).empty()) check_logits(cell, golden);
  }

 private:
  struct Shared {
    Shared(Engine& engine, const Request& request, ReuseKey key, int bos)
        : context(engine, request, key, bos), probe(engine, context, "") {}
    ReusedContext context;
    RequestProbe probe;
  };

  static void check_layers(const std::vector<std::vector<int>>& ours, const Json& golden, const std::set<int>& close) {
    REQUIRE(ours.size() == golden["per_layer"].size());
    for (std::size_t layer = 0; layer < ours.size(); ++layer) {
      CAPTURE(layer);
      check_set(ours[layer], from_ranges(golden["per_layer"][layer]), close);
    }
  }

  void check_logits(CellRun& cell, const Json& golden) {
    std::vector<float> logits(static_cast<std::size_t>(cell.logits().cols()));
    engine_.queue().download(logits, cell.logits());
    const double largest = std::abs(
        *std::max_element(logits.begin(), logits.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
    test::LargestDifference worst;
    for (std::size_t i = 0; i < golden["tokens"].size(); ++i)
      worst.add(logits.at(golden["tokens"][i]), golden["logits"][i].get<double>());
    CHECK(worst.value() <= logit_tolerance * largest);
  }

  Engine& engine_;
  const Request& request_;
  int bos_;
  std::map<ReuseKey, Shared> shared_;
};

/// What decoding sees of each strategy's cache; and KVShare's rows that are recomputed on the way.
void check_decoding(Engine& engine, const Request& request, int bos, const Json& golden) {
  std::vector<CellSpec> cells;
  for (const Json& one : golden) cells.push_back({strategy_of(one), one["ratio"]});
  if (cells.empty()) return;
  RunnerOptions options;
  options.bos = bos;
  options.decode.max_new_tokens = static_cast<int>(golden[0]["prediction"].size());
  const std::vector<Outcome> outcomes = run_request(engine, request, cells, options);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    CAPTURE(golden[i]["strategy"], golden[i]["params"].dump());
    CHECK(outcomes[i].error.empty());
    if (golden[i]["gap"] < least_gap) continue;
    CHECK(outcomes[i].prediction_ids == golden[i]["prediction"].get<std::vector<std::int32_t>>());
    CHECK(outcomes[i].decode_selected == golden[i].value("repaired", std::vector<int>()));
  }
}

void check_model(const std::string& name, const std::vector<std::string>& prompts) {
  const auto files = open_model(model_path(name));
  const auto tokenizer = make_tokenizer(*files);
  const std::string device = test::tests_card() ? "cuda" : "cpu";
  Engine engine(*files, {device, DType::f32, 0});
  for (const std::string& prompt : prompts) {
    if (!test::tests_in_full() && name != "tiny-llama" && prompt != prompts.back()) continue;
    CAPTURE(name, prompt);
    const fs::path answers = here() / "golden" / (name + "." + prompt + ".json.gz");
    const Json golden = Json::parse(read_gz(answers.string()));
    const fs::path path = here() / "prompts" / (prompt + ".json");
    const Request request = read_request(read_file(path), path.string(), *tokenizer);
    REQUIRE(request.has_prefix() == golden["has_prefix"].get<bool>());
    REQUIRE(request.units.size() == golden["units"].size());
    for (std::size_t i = 0; i < request.units.size(); ++i) {
      CHECK(request.units[i].begin == golden["units"][i][0].get<int>());
      CHECK(request.units[i].end == golden["units"][i][1].get<int>());
    }
    REQUIRE(request.query_ids == golden["query_ids"].get<std::vector<std::int32_t>>());
    REQUIRE(request.question_begin == golden["question"][0].get<int>());
    REQUIRE(request.question_end == golden["question"][1].get<int>());
    Cells cells(engine, request, tokenizer->bos());
    for (const Json& one : golden["cases"]) cells.check(one);
    check_decoding(engine, request, tokenizer->bos(), golden.value("decoding", Json::array()));
  }
}

}  // namespace

TEST_CASE("selectors agree with the second implementation on a tiny Llama", "[card]") {
  check_model("tiny-llama", {"harbour", "orchard"});
}

TEST_CASE("selectors agree with the second implementation on a tiny Qwen2", "[card]") {
  check_model("tiny-qwen2", {"harbour", "orchard"});
}

TEST_CASE("selectors agree with the second implementation under Llama 3's and YaRN's RoPE", "[card]") {
  check_model("tiny-llama3", {"harbour", "orchard"});
  check_model("tiny-llama-yarn", {"harbour", "orchard"});
}

TEST_CASE("selectors agree with the second implementation on a tiny Qwen3", "[card]") {
  check_model("tiny-qwen3", {"harbour", "orchard"});
}

TEST_CASE("selectors agree with the second implementation within Mistral's window", "[card]") {
  check_model("tiny-mistral", {"harbour", "orchard"});
}

TEST_CASE("selectors agree with the second implementation within Gemma 3's local windows", "[card]") {
  check_model("tiny-gemma3", {"harbour", "orchard"});
}

TEST_CASE("random takes the budget, behind exact rows, and the same again", "[card]") {
  const auto files = open_model(model_path("tiny-llama"));
  const auto tokenizer = make_tokenizer(*files);
  Engine engine(*files, {"cpu", DType::f32, 0});
  const fs::path path = here() / "prompts/harbour.json";
  const Request request = read_request(read_file(path), path.string(), *tokenizer);
  const auto run = [&](int seed, double ratio) {
    Value params;
    params.set("seed", seed);
    return test::run_cell(engine, request, test::strategy("random", params), ratio, 1, tokenizer->bos())
        .outcome.selected;
  };
  const std::vector<int> once = run(7, 0.2);
  CHECK(once.size() == static_cast<std::size_t>(std::floor(0.2 * request.n_context())));
  CHECK(once.front() >= request.units.front().end);  // the prefix is exact
  CHECK(once == run(7, 0.2));
  CHECK(once != run(8, 0.2));
  const std::vector<int> more = run(7, 0.4);
  CHECK(std::includes(more.begin(), more.end(), once.begin(), once.end()));
}

TEST_CASE("selectors agree with the second implementation on SmolLM2", "[card]") {
  if (!test::require_model("smollm2-135m", path_exists(models_dir() / "smollm2-135m.gguf"))) return;
  check_model("smollm2-135m", {"expedition", "letters"});
}
