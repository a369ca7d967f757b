// `kvmend bench`: what it prints, on a tiny model; never how fast that was.
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/program.h"
#include "catch.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

TEST_CASE("bench prints each case's share of a peak that was measured") {
  const auto result =
      kvmend::test::kvmend({"bench", "prefill", "--model", tiny_model("tiny-llama"), "--tokens", "64", "--runs", "1"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("of peak") && Contains("peak, measured here: ") && Contains("GFLOP/s in bf16"));
  CHECK_THAT(result.out, Contains("% FLOP") || Contains("% byte"));
}

TEST_CASE("bench counts what decoding does, and a strategy's FLOPs over full prefill's") {
  for (const std::string what : {"decode", "select"}) {
    std::vector<std::string> arguments = {"bench", what, "--model", tiny_model("tiny-llama"), "--tokens", "64"};
    for (const char* more : {"--runs", "1", "--json"}) arguments.emplace_back(more);
    if (what == "select")
      for (const char* more : {"--chunk", "16", "--query", "8", "--strategy", "random"}) arguments.emplace_back(more);
    const auto result = kvmend::test::kvmend(arguments);
    CHECK(result.code == 0);
    std::istringstream lines(result.out);
    int cases = 0;
    for (std::string line; std::getline(lines, line); ++cases) {
      const auto c = nlohmann::json::parse(line);
      CHECK(c.at("flops").get<double>() > 0);
      CHECK(c.at("peak_flops").get<double>() > 0);
      CHECK(c.at("peak_bytes").get<double>() > 0);
      if (what == "select") CHECK(c.at("offline_s").get<double>() >= 0);
      if (what == "select") CHECK((c.at("flops_ratio").get<double>() < 1) == (cases == 1));
    }
    CHECK(cases == (what == "select" ? 2 : 1));
  }
}

TEST_CASE("bench gives a strategy with an auxiliary model a prompt that has text, and tells its offline work apart") {
  const std::string model = tiny_model("tiny-llama");
  const auto result = kvmend::test::kvmend({"bench", "select", "--model", model, "--tokens", "256", "--runs", "1",
                                            "--strategy", "cacheclip: {aux_model: " + model + "}"});
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("choosing") && Contains("of full") && Contains("offline s"));
}

TEST_CASE("bench says on stderr what -v asks for, and nothing with -q") {
  std::vector<std::string> arguments = {"bench",  "prefill", "--model", tiny_model("tiny-llama"), "--tokens", "64",
                                        "--runs", "2",       "-q"};
  CHECK(kvmend::test::kvmend(arguments).err.empty());
  arguments.emplace_back("-v");
  CHECK_THAT(kvmend::test::kvmend(arguments).err,
             Contains("kvmend: prefill, 64 tokens, run 1: ") && Contains(" run 2: ") && !Contains(" run 3: "));
}

TEST_CASE("tokenize --time says how much text a second, and how many tokens") {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "The quick brown fox jumps over the lazy dog. ";
  folder.write("fox.txt", text);
  const auto run = kvmend::test::kvmend(
      {"tokenize", "--model", tiny_model("tiny-llama"), "--time", "--json", "fox.txt"}, folder.path());
  REQUIRE(run.code == 0);
  const auto json = nlohmann::json::parse(run.out);
  CHECK(json.at("bytes") == text.size());
  CHECK(json.at("seconds").size() == 5);
  const auto tokens =
      kvmend::test::kvmend({"tokenize", "--model", tiny_model("tiny-llama"), "--json", "fox.txt"}, folder.path());
  CHECK(json.at("tokens") == nlohmann::json::parse(tokens.out).at("ids").size());
  const auto plain =
      kvmend::test::kvmend({"tokenize", "--model", tiny_model("tiny-llama"), "--time", "fox.txt"}, folder.path());
  CHECK(plain.out.find(" MB/s\n") != std::string::npos);
}
