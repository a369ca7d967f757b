#include "model/rope.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "model/hf_rope.h"
#include "paths.h"

using namespace kvmend;
using Catch::Contains;

namespace {

RopeConfig read(const std::string& text) {
  const auto json = JsonObject::parse(text, "config.json");
  ModelConfig config;
  config.head_dim = json.sized("head_dim", 1, 4096, 64);
  config.context_length = json.sized("max_position_embeddings", 1, 1 << 30, 4096);
  return read_hf_rope(json, config, find_hf_architecture("llama", "config.json").architecture);
}

/// Units in the last place between two floats of one sign.
int ulps(float a, float b) {
  std::int32_t x, y;
  std::memcpy(&x, &a, 4);
  std::memcpy(&y, &b, 4);
  return std::abs(x - y);
}

}  // namespace

TEST_CASE("RoPE's tables are transformers'", "[rope]") {
  const auto cases =
      nlohmann::json::parse(read_file(std::filesystem::path(source_folder()) / "tests/data/golden/rope.json"));
  for (const auto& item : cases) {
    INFO(item["name"]);
    const RopeConfig config = read(item["config"].dump());
    const auto frequencies = rope_inverse_frequencies(config);
    const auto expected = item["inverse_frequencies"].get<std::vector<float>>();
    REQUIRE(frequencies.size() == expected.size());
    // A correctly rounded power is at most one ulp from theirs; where it is theirs, everything after it is too.
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(ulps(frequencies[i], expected[i]) <= 1);
    CHECK(rope_attention_factor(config) == item["attention_factor"].get<float>());
    const auto table = rope_table(config, 8192);
    const std::size_t half = expected.size();
    REQUIRE(table.size() == 8192 * 2 * half);
    for (std::size_t p = 0; p < item["positions"].size(); ++p) {
      const float* row = table.data() + item["positions"][p].get<std::size_t>() * 2 * half;
      for (std::size_t i = 0; i < half; ++i) {
        CHECK(std::fabs(row[i] - item["cos"][p][i].get<double>()) < 1e-4);
        CHECK(std::fabs(row[half + i] - item["sin"][p][i].get<double>()) < 1e-4);
      }
    }
  }
}

TEST_CASE("angles at long positions are rounded as the models were trained", "[rope]") {
  RopeConfig config;
  config.rotary_dim = 4;
  const auto table = rope_table(config, 8000);
  const float frequency = rope_inverse_frequencies(config)[1];
  CHECK(table[7999 * 4 + 1] == std::cos(7999.0F * frequency));
  CHECK(table[7999 * 4 + 3] == std::sin(7999.0F * frequency));
  CHECK(table[0] == 1.0F);
  CHECK(table[2] == 0.0F);
}

TEST_CASE("frequency factors divide frequencies and stand in for Llama 3's rule", "[rope]") {
  RopeConfig config;
  config.rotary_dim = 6;
  config.scaling = RopeConfig::Scaling::llama3;
  config.factor = 8;
  config.original_context = 64;
  const auto ruled = rope_inverse_frequencies(config);
  RopeConfig plain = config;
  plain.scaling = RopeConfig::Scaling::none;
  const auto unscaled = rope_inverse_frequencies(plain);
  plain.frequency_factors = {1, 2, 8};
  const auto divided = rope_inverse_frequencies(plain);
  CHECK(divided[0] == unscaled[0]);
  CHECK(divided[1] == Approx(unscaled[1] / 2));
  CHECK(divided[2] == Approx(unscaled[2] / 8));
  config.frequency_factors = plain.frequency_factors;
  CHECK(rope_inverse_frequencies(config) == divided);
  CHECK(ruled != divided);
}

TEST_CASE("old and new spellings of RoPE in config.json mean the same", "[rope]") {
  const RopeConfig fresh = read(
      R"({"rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8, "low_freq_factor": 1,
          "high_freq_factor": 4, "original_max_position_embeddings": 8192}})");
  const RopeConfig old = read(
      R"({"rope_theta": 500000.0, "rope_scaling": {"type": "llama3", "factor": 8, "low_freq_factor": 1,
          "high_freq_factor": 4, "original_max_position_embeddings": 8192}})");
  CHECK(fresh.base == 500000);
  CHECK(rope_table(fresh, 64) == rope_table(old, 64));
  CHECK(read(R"({"rope_scaling": null, "rope_theta": 1000.0})").scaling == RopeConfig::Scaling::none);
  CHECK(read("{}").base == 10000);
  // Without its own number, the original context is the model's, and yarn's factor is what stretches one to the other.
  CHECK(read(R"({"max_position_embeddings": 512, "rope_parameters": {"rope_type": "yarn", "factor": 2}})")
            .original_context == 512);
  CHECK(read(R"({"max_position_embeddings": 4096, "original_max_position_embeddings": 1024,
                 "rope_parameters": {"rope_type": "yarn"}})")
            .factor == 4);
}

TEST_CASE("scalings that depend on the prompt's length, and unknown ones, are refused", "[rope]") {
  for (const char* type : {"dynamic", "longrope", "su"}) {
    const std::string text = std::string(R"({"rope_scaling": {"factor": 2, "type": ")") + type + "\"}}";
    CHECK_THROWS_WITH(read(text),
                      Contains("config.json: key 'rope_scaling.type'") && Contains("depend on the whole prompt"));
  }
  CHECK_THROWS_WITH(read(R"({"rope_parameters": {"rope_type": "mrope"}})"),
                    Contains("key 'rope_parameters.rope_type'") && Contains("'mrope' is not known"));
  CHECK_THROWS_WITH(read(R"({"rope_parameters": {"rope_type": "linear"}})"),
                    Contains("'rope_parameters.factor': missing"));
  CHECK_THROWS_WITH(read(R"({"rope_parameters": {"rope_type": "linear", "factor": "2"}})"),
                    Contains("expected a number, found the string '2'"));
  CHECK_THROWS_WITH(read(R"({"partial_rotary_factor": 0.5})"), Contains("partial_rotary_factor"));
}
