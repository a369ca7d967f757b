// `kvmend generate` as a user runs it, on a tiny model.
#include <nlohmann/json.hpp>

#include "app/program.h"
#include "catch.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

namespace {

std::vector<std::string> generate(std::initializer_list<std::string> more) {
  std::vector<std::string> arguments{"generate", "--model", tiny_model("tiny-llama")};
  arguments.insert(arguments.end(), more);
  return arguments;
}

std::string thousand_ids() {
  std::string ids = "3";
  for (int i = 1; i < 1000; ++i) ids += ",3";
  return ids;
}

}  // namespace

TEST_CASE("generate prints a text, and as JSON its prompt, ids and seconds") {
  const auto json = kvmend::test::kvmend(generate({"--json", "--max-new-tokens", "3", "the river"}));
  INFO(json.err);
  REQUIRE(json.code == 0);
  const auto out = nlohmann::json::parse(json.out);
  CHECK_THAT(out.at("prompt").get<std::string>(), Contains("the river"));
  CHECK(out.at("prompt_tokens").get<int>() > 0);
  CHECK(out.at("prediction_ids").size() <= 3);
  CHECK(out.at("ttft_s").get<double>() > 0);
  // A random model's bytes are not always characters, and JSON has only those.
  const auto text = kvmend::test::kvmend(generate({"--max-new-tokens", "3", "the river"}));
  CHECK(text.code == 0);
  const auto as_json = nlohmann::json(text.out).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  CHECK(nlohmann::json::parse(as_json) == out.at("prediction").get<std::string>() + "\n");
  CHECK(text.err.empty());
}

TEST_CASE("generate refuses what it cannot answer in one line") {
  const auto nothing = kvmend::test::kvmend(generate({}));
  CHECK(nothing.code == 2);
  CHECK_THAT(nothing.err, Contains("generate needs either a text or --ids"));
  CHECK(std::count(nothing.err.begin(), nothing.err.end(), '\n') == 1);

  // 1000 tokens and an answer of 26: the last of it needs no position of the model's 1024, the one before it would.
  const auto too_long = kvmend::test::kvmend(generate({"--max-new-tokens", "26", "--ids", thousand_ids()}));
  CHECK(too_long.code == 2);
  CHECK_THAT(too_long.err,
             Contains("the prompt has 1000 tokens and the answer may take 26, the model was made for 1024"));
  CHECK(std::count(too_long.err.begin(), too_long.err.end(), '\n') == 1);
  CHECK(kvmend::test::kvmend(generate({"--max-new-tokens", "25", "--ids", thousand_ids()})).code == 0);
}
