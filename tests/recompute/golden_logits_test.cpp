// The forward pass against transformers' float32 logits of the same files (tests/data/README.md).
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/file.h"
#include "paths.h"
#include "recompute/bare_prefill.h"
#include "support/cell_case.h"
#include "support/tested_devices.h"

using namespace kvmend;
namespace fs = std::filesystem;

namespace {

struct GoldenCase {
  std::string model;   ///< under tests/data/models
  std::string golden;  ///< what ids.json and logits.f32 stand behind: "tiny-llama/" or "tiny-llama-mixed."
};

std::vector<GoldenCase> golden_cases() {
  const fs::path folder = fs::path(source_folder()) / "tests/data/models";
  std::vector<GoldenCase> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("tiny-bert")) continue;  // it has no logits
    if (entry.is_directory()) {
      out.push_back({name, name + "/"});
    } else if (name.ends_with(".gguf") && !name.ends_with("00002-of-00002.gguf")) {
      std::string stem = name.substr(0, name.size() - 5);
      if (const auto shard = stem.find("-00001-of"); shard != std::string::npos) stem.resize(shard);
      out.push_back({name, fs::exists(folder / (stem + ".ids.json")) ? stem + "." : stem + "/"});
    }
  }
  return out;
}

std::vector<float> read_floats(const std::string& path) {
  const std::string bytes = read_file(path);
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

std::vector<std::int32_t> read_golden_ids(const std::string& path) {
  return nlohmann::json::parse(read_file(path)).at("ids").get<std::vector<std::int32_t>>();
}

}  // namespace

TEST_CASE("float32 logits of tiny models are transformers' within 1e-4, at every position", "[card]") {
  const std::string folder = source_folder() + "/tests/data/models/";
  const auto cases = golden_cases();
  REQUIRE(cases.size() >= 17);
  for (const GoldenCase& golden : cases) {
    const auto ids = read_golden_ids(folder + golden.golden + "ids.json");
    const auto expected = read_floats(folder + golden.golden + "logits.f32");
    const auto files = open_model(folder + golden.model);
    for (const auto& [device, dtype] : test::tested_settings()) {
      if (dtype != DType::f32) continue;
      const auto backend = make_backend({device, DType::f32, 2});
      const Model model(*files, *backend);
      const auto logits = bare_logits(model, ids, true);
      CAPTURE(golden.model, device);
      CHECK(test::largest_difference(logits.values, expected) < 1e-4);
      const auto last = bare_logits(model, ids, false);
      const auto row = logits.row(ids.size() - 1);  // a product of another shape: equal up to rounding
      CHECK(test::largest_difference(last.values, row) < 1e-4);
    }
  }
}

TEST_CASE("an encoder's hidden states are transformers' within 1e-4", "[card]") {
  const std::string folder = source_folder() + "/tests/data/models/";
  const auto ids = read_golden_ids(folder + "tiny-bert/ids.json");
  const auto expected = read_floats(folder + "tiny-bert/hidden.f32");
  for (const char* name : {"tiny-bert", "tiny-bert.gguf"}) {
    const auto files = open_model(folder + name);
    for (const auto& [device, dtype] : test::tested_settings()) {
      if (dtype != DType::f32) continue;
      CAPTURE(name, device);
      const auto backend = make_backend({device, DType::f32, 2});
      const Model model(*files, *backend);
      CHECK(test::largest_difference(bare_hidden(model, ids), expected) < 1e-4);
      CHECK_THROWS_WITH(bare_logits(model, ids, false), Catch::Contains("is an encoder"));
      CHECK_THROWS_WITH(Engine(*files, {device, DType::f32, 2}), Catch::Contains("is an encoder"));
    }
  }
}
