// The forward pass against transformers' float32 logits of the same files (tests/data/README.md).
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/file.h"
#include "paths.h"
#include "recompute/bare_prefill.h"
#include "support/cell_case.h"

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

}  // namespace

TEST_CASE("float32 logits of tiny models are transformers' within 1e-4, at every position") {
  const std::string folder = source_folder() + "/tests/data/models/";
  const auto cases = golden_cases();
  REQUIRE(cases.size() >= 8);
  for (const GoldenCase& golden : cases) {
    const auto ids = nlohmann::json::parse(read_file(folder + golden.golden + "ids.json"))
                         .at("ids")
                         .get<std::vector<std::int32_t>>();
    const std::string bytes = read_file(folder + golden.golden + "logits.f32");
    std::vector<float> expected(bytes.size() / sizeof(float));
    std::memcpy(expected.data(), bytes.data(), bytes.size());
    const auto files = open_model(folder + golden.model);
    for (const char* device : {"reference", "cpu"}) {
      const auto backend = make_backend({device, DType::f32, 2});
      const Model model(*files, *backend);
      const auto logits = bare_logits(model, ids, true);
      CAPTURE(golden.model, device);
      CHECK(test::max_difference(logits.values, expected) < 1e-4F);
      const auto last = bare_logits(model, ids, false);
      const auto row = logits.row(ids.size() - 1);  // a product of another shape: equal up to rounding
      CHECK(test::max_difference(last.values, {row.begin(), row.end()}) < 1e-4F);
    }
  }
}
