// Real models' logits against transformers' reading of the same file (scripts/golden/logits.py).
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/file.h"
#include "model/locate.h"
#include "paths.h"
#include "recompute/bare_prefill.h"
#include "support/difference.h"
#include "support/require_model.h"

using namespace kvmend;
namespace fs = std::filesystem;

namespace {

constexpr double tolerance = 3e-4;  // of a float32 logit
constexpr double undecided = 0.25;  // a float32 top-two gap under which bf16 may choose the other
constexpr double point = 0.01;      // how much less often than transformers' bf16 ours may agree with float32

struct Golden {
  explicit Golden(const std::string& model)
      : json(nlohmann::json::parse(
            read_file(fs::path(source_folder()) / "tests/data/golden" / (model + ".logits.json")))),
        ids(json["ids"].get<std::vector<std::int32_t>>()) {}
  nlohmann::json json;
  std::vector<std::int32_t> ids;
};

struct Best {
  std::size_t id = 0;
  double logit = 0, gap = 0;  ///< gap: to the second best
};

std::vector<Best> best_of(const BareLogits& logits) {
  std::vector<Best> out;
  for (std::size_t i = 0; i < logits.rows; ++i) {
    const auto row = logits.row(i);
    const auto first = std::max_element(row.begin(), row.end());
    double second = -INFINITY;
    for (auto it = row.begin(); it != row.end(); ++it) {
      if (it != first) second = std::max(second, static_cast<double>(*it));
    }
    out.push_back({static_cast<std::size_t>(first - row.begin()), *first, *first - second});
  }
  return out;
}

void check_float32(const Golden& golden, const BareLogits& logits, const std::vector<Best>& best) {
  REQUIRE(logits.rows == golden.ids.size());
  test::LargestDifference worst;
  for (std::size_t i = 0; i < best.size(); ++i) {
    worst.add(best[i].logit, golden.json["max"][i].get<float>());
    if (best[i].gap > 2 * tolerance) CHECK(best[i].id == golden.json["argmax"][i].get<std::size_t>());
  }
  for (std::size_t p = 0; p < golden.json["positions"].size(); ++p) {
    const auto row = logits.row(golden.json["positions"][p].get<std::size_t>());
    for (const auto& entry : golden.json["top"][p]) {
      worst.add(row[entry[0].get<std::size_t>()], entry[1].get<float>());
    }
  }
  CHECK(worst.value() <= tolerance);
}

void check_bf16(const Golden& golden, const std::vector<Best>& exact, const std::vector<Best>& rounded) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    CAPTURE(i, exact[i].gap);
    if (rounded[i].id == exact[i].id) {
      ++same;
    } else {
      CHECK(exact[i].gap < undecided);
    }
  }
  const double agreement = static_cast<double>(same) / static_cast<double>(exact.size());
  CHECK(agreement >= golden.json["bf16"]["argmax_agreement"].get<double>() - point);
}

void check_model(const std::string& name) {
  const fs::path path = models_dir() / (name + ".gguf");
  if (!test::require_model(name, path_exists(path))) return;
  const Golden golden(name);
  const auto files = open_model(path);
  REQUIRE(files->sha256() == golden.json["sha256"].get<std::string>());
  std::vector<Best> exact;
  {
    const auto backend = make_backend({"cpu", DType::f32, 0});
    const BareLogits logits = bare_logits(Model(*files, *backend), golden.ids, true);
    exact = best_of(logits);
    check_float32(golden, logits, exact);
  }
  const auto backend = make_backend({"cpu", DType::bf16, 0});
  check_bf16(golden, exact, best_of(bare_logits(Model(*files, *backend), golden.ids, true)));
}

}  // namespace

TEST_CASE("SmolLM2's logits are transformers'") { check_model("smollm2-135m"); }

TEST_CASE("Qwen2.5-Coder's logits are transformers'", "[.qwen]") { check_model("qwen2.5-coder-0.5b"); }
