// `kvmend sample --config`: the samples of a run, before it is one.
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/program.h"
#include "catch.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;
using Json = nlohmann::json;

namespace {

/// Everything at its top level that prompts depend on, and scores that are yet to be made.
std::string config() {
  return "name: own\nmodel: " + tiny_model("tiny-llama") +
         "\nchat: chatml\nsystem: Be brief.\ntokenize: units\nsink: keep_bos\nkeep_answer_space: true\ndtype: "
         "f32\ntasks:\n"
         "  - ruler/niah_single_1: {length: 900, samples: 2, seed: 1}\n"
         "  - ruler/niah_single_1: {length: 900, samples: 1, seed: 2}\n"
         "chunker: {fixed: 96}\nratios: [0.2]\nstrategies:\n  - full\n  - from_file: {path: "
         "scores.jsonl}\nmax_new_tokens: 2\n";
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(Json::parse(line));
  return out;
}

}  // namespace

TEST_CASE("sample makes the samples of a run's config, whose scores may be still to come") {
  const TempFolder folder;
  folder.write("own.yaml", config());
  const auto made = kvmend::test::kvmend({"sample", "--config", "own.yaml"}, folder.path());
  INFO(made.err);
  REQUIRE(made.code == 0);
  std::map<std::string, Json> samples;
  std::string scores;
  for (const Json& sample : lines_of(made.out)) {
    const int n = sample.at("n_context");
    scores += Json{{"id", sample.at("id")}, {"scores", std::vector<int>(static_cast<std::size_t>(n), 1)}}.dump() + "\n";
    samples[sample.at("id")] = sample;
  }
  REQUIRE(samples.size() == 3);
  folder.write("scores.jsonl", scores);
  const auto run = kvmend::test::kvmend({"run", "own.yaml", "-q"}, folder.path());
  INFO(run.err);
  REQUIRE(run.code == 0);
  const auto exported = lines_of(kvmend::test::kvmend({"export", "own.kvmend"}, folder.path()).out);
  CHECK(exported.size() == 6);
  for (const Json& row : exported) {
    const Json& sample = samples.at(row.at("sample"));
    CHECK(row.at("prompt_hash") == sample.at("hash"));
    CHECK(row.at("n_context") == sample.at("n_context"));
    CHECK(row.at("n_query") == sample.at("n_query"));
  }
  // Without the config's top level the prompt is another one.
  const auto alone = kvmend::test::kvmend({"sample", "ruler/niah_single_1: {length: 900, samples: 2, seed: 1}",
                                           "--model", tiny_model("tiny-llama"), "--chunker", "fixed: 96"},
                                          folder.path());
  REQUIRE(alone.code == 0);
  CHECK(lines_of(alone.out).at(0).at("hash") != samples.at("niah_single_1-1-0").at("hash"));
}

TEST_CASE("sample --config takes one of the tasks, fewer samples, and settings as run does") {
  const TempFolder folder;
  folder.write("own.yaml", config());
  const auto sample = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"sample", "--config", "own.yaml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return kvmend::test::kvmend(arguments, folder.path());
  };
  const auto ids = [&](const std::vector<std::string>& more) {
    std::vector<std::string> out;
    for (const Json& line : lines_of(sample(more).out)) out.push_back(line.at("id"));
    return out;
  };
  using Ids = std::vector<std::string>;
  CHECK(ids({"ruler/niah_single_1 (seed: 2)"}) == Ids{"niah_single_1-2-0"});
  CHECK(ids({"-n", "1"}) == Ids{"niah_single_1-1-0", "niah_single_1-2-0"});
  CHECK(ids({"--set", "tasks.*.samples=1", "--set", "tasks.*.seed=7"}) == Ids{"niah_single_1-7-0"});
  const auto few = sample({"--chunker", "fixed: 64", "-n", "1"}), many = sample({"-n", "1"});
  CHECK(lines_of(few.out).at(0).at("chunk_ids").size() > lines_of(many.out).at(0).at("chunk_ids").size());
  const auto wrong = sample({"ruler/niah_single_1 (seed: 3)"});
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Contains("own.yaml has no task 'ruler/niah_single_1 (seed: 3)'"));
  const auto two = sample({"--set", "chunker=[{fixed: 64}, {fixed: 96}]"});
  CHECK(two.code == 2);
  CHECK_THAT(two.err, Contains("own.yaml has 2 chunkers") && Contains("--chunker"));
  const auto nothing = kvmend::test::kvmend({"sample"}, folder.path());
  CHECK(nothing.code == 2);
  CHECK_THAT(nothing.err, Contains("sample needs a task and --model, or --config"));
}
