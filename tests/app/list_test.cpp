// `kvmend list`: an overview, one in full, and JSON with everything.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/program.h"
#include "catch.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

namespace {

ProgramResult list(std::vector<std::string> words) {
  words.insert(words.begin(), "list");
  return kvmend::test::kvmend(words);
}

auto lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

std::size_t occurrences(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += word.size()) ++n;
  return n;
}

}  // namespace

TEST_CASE("strategies are a line each, one in full, and what all of them take is told once") {
  const auto all = nlohmann::json::parse(list({"strategies", "--json"}).out);
  const auto overview = list({"strategies"});
  CHECK(overview.code == 0);
  CHECK(lines(overview.out) == static_cast<std::ptrdiff_t>(all.size()) + 2);
  CHECK_THAT(overview.out,
             Contains("\nepic ") && Contains("'kvmend list strategies NAME'") && !Contains("sink_tokens"));
  const auto full = list({"strategies", "--long"});
  CHECK(occurrences(full.out, "sink_tokens (") == 1);
  CHECK_THAT(full.out, Contains("source: arXiv 2410.15332"));
  CHECK(lines(full.out) > lines(overview.out));
  // What every strategy takes, and the one default that APE has of its own.
  const auto ape = list({"strategies", "ape"});
  CHECK_THAT(ape.out, Contains("lse_scale (one of code|paper, default code)") && Contains("default shared_prefix)"));
  CHECK(occurrences(ape.out, " temperature (number, ") == 2);
  CHECK(occurrences(ape.out, " neighbours (int, ") == 1);
  CHECK_THAT(ape.out, Contains("every strategy"));
  for (const auto& strategy : all) CHECK(strategy["params"].size() >= 10);  // JSON keeps them with each
}

TEST_CASE("names that are unknown are answered with the nearest, of tasks also groups and families") {
  CHECK(list({"strategies", "epik"}).code == 2);
  CHECK(list({"strategies", "epik"}).err == "kvmend: no strategies called 'epik'; did you mean 'epic'?\n");
  CHECK_THAT(list({"strategies", "xyzzy"}).err, Contains("see 'kvmend list strategies'"));
  const auto all = list({"tasks", "ruler/all"}), family = list({"tasks", "ruler"}), tasks = list({"tasks"});
  CHECK(all.code == 0);
  CHECK_THAT(all.out, Contains("ruler/vt ") && Contains("ruler/qa_2 ") && !Contains("qa_custom"));
  CHECK(family.out == all.out);
  CHECK(nlohmann::json::parse(list({"tasks", "ruler/all", "--json"}).out).size() == 13);
  CHECK_THAT(tasks.out, Contains("\nruler/all              13 tasks\n") && Contains("--where group="));
  CHECK_THAT(list({"tasks", "ruler/vt"}).out, Contains("length (int, "));
  CHECK_THAT(list({"tasks", "ruler/nia"}).err, Contains("did you mean 'ruler/niah'?"));
}

TEST_CASE("a config's keys are listed with type, default and help") {
  const auto keys = list({"config"});
  CHECK(keys.code == 0);
  CHECK_THAT(keys.out, Contains("\nmodel                  ") && Contains("(string, default required)"));
  CHECK_THAT(keys.out,
             Contains("\ndtype                  what matrix products round to (one of f32|bf16, default bf16)\n"));
  CHECK_THAT(keys.out, Contains("\ncache.limit            ") && Contains("chatml"));
  CHECK_THAT(list({"config", "max_new_token"}).err, Contains("did you mean 'max_new_tokens'?"));
  CHECK(nlohmann::json::parse(list({"config", "--json"}).out).size() > 20);
}
