// Every config in configs/papers, laid under small.yaml, with stand-ins for the data sets: grid, first prompts and their token
// counts. Nothing is computed.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/program.h"
#include "catch.h"
#include "core/file.h"
#include "paths.h"
#include "support/require_model.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

std::string passages(int n, int about) {
  std::string out;
  for (int i = 1; i <= n; ++i)
    out += "Passage " + std::to_string(i) + ":\nThing " + std::to_string(about) + " is in town " + std::to_string(i) +
           ".\n";
  return out;
}

/// Data sets in their published forms, five questions each.
void make_data(const TempFolder& folder) {
  fs::create_directories(folder.path() / "data/longbench");
  fs::create_directories(folder.path() / "data/squad");
  fs::create_directories(folder.path() / "data/hotpotqa");
  json squad = {{"version", "v2.0"}, {"data", json::array()}}, hotpot = json::array();
  std::string rows;
  for (int i = 0; i < 5; ++i) {
    const std::string k = std::to_string(i);
    json paragraph{{"context", "Thing " + k + " stands in town " + k + "."}, {"qas", json::array()}};
    json question{{"id", "s" + k}, {"question", "Where is " + k + "?"}};
    question["answers"] = json::array({json{{"text", "town " + k}, {"answer_start", 16}}});
    paragraph["qas"].push_back(question);
    squad["data"].push_back(json{{"title", "T"}, {"paragraphs", json::array({paragraph})}});
    hotpot.push_back(json::parse(R"({"_id": "h)" + k + R"(", "question": "Where is )" + k + R"(?", "answer": "town )" +
                                 k + R"(", "supporting_facts": [["T)" + k + R"(", 0]], "context": [["T)" + k +
                                 R"(", ["It is in town )" + k + R"(."]], ["U)" + k + R"(", ["Nothing )" + k +
                                 R"(."]]]})"));
    rows += R"({"input": "Where is thing )" + k + R"(?", "context": )" + json(passages(6, i)).dump() +
            R"(, "answers": ["town )" + k + R"("], "length": 100, "language": "en", "all_classes": ["town )" + k +
            R"(", "river"], "_id": "l)" + k + "\"}\n";
  }
  folder.write("data/squad/dev-v2.0.json", squad.dump());
  folder.write("data/hotpotqa/hotpot_dev_distractor_v1.json", hotpot.dump());
  json prompts;
  const auto listed = json::parse(kvmend::test::kvmend({"list", "tasks", "--json"}).out);
  for (const auto& task : listed) {
    const std::string name = task.at("name");
    if (!name.starts_with("longbench/") || name.ends_with("_e")) continue;
    const std::string subset = name.substr(name.find('/') + 1);
    folder.write("data/longbench/" + subset + ".jsonl", rows);
    prompts[subset] = "Read.\n{context}\n\nQuestion: {input}\nAnswer:";
  }
  folder.write("data/longbench/dataset2prompt.json", prompts.dump());
}

}  // namespace

TEST_CASE("each paper's experiment can be looked at on SmolLM2 by small.yaml") {
  const TempFolder folder;
  const auto tokenized = kvmend::test::kvmend({"tokenize", "--model", "smollm2-135m", "a"}, folder.path());
  if (!require_model("smollm2-135m", tokenized.code == 0)) return;
  make_data(folder);
  ::setenv("KVMEND_DATASETS", (folder.path() / "data").c_str(), 1);
  ::setenv("KVMEND_JIEBA", (kvmend::source_folder() + "/tests/data/eval/jieba-tiny").c_str(), 1);
  const std::string papers = kvmend::source_folder() + "/configs/papers/";
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(papers)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".yaml" || name == "small" || name == "recycling") continue;
    INFO(name);
    const auto result =
        kvmend::test::kvmend({"run", entry.path().string(), papers + "small.yaml", "--dry-run"}, folder.path());
    INFO(result.err);
    CHECK(result.code == 0);
    CHECK_THAT(result.out, Contains("first prompt: ") && Contains(" tokens = "));
    CHECK_THAT(result.out, Contains(": 5 samples"));
    CHECK_FALSE(fs::exists(folder.path() / (name + ".kvmend")));
    ++seen;
  }
  CHECK(seen >= 15);
  ::unsetenv("KVMEND_DATASETS");
  ::unsetenv("KVMEND_JIEBA");
}

TEST_CASE("the recycling experiment runs on any model") {
  const TempFolder folder;
  std::string prompts;
  for (int i = 0; i < 5; ++i) prompts += "{\"prompt\": \"Hello number " + std::to_string(i) + ".\"}\n";
  folder.write("prompts.jsonl", prompts);
  const auto stream =
      kvmend::test::kvmend({"recycle", kvmend::source_folder() + "/configs/papers/recycling.yaml", "--set",
                            "model=" + tiny_model("tiny-gpt2"), "--set", "encoder=" + tiny_model("tiny-bert"), "--set",
                            "prompts=" + (folder.path() / "prompts.jsonl").string(), "--set", "max_new_tokens=2", "-q"},
                           folder.path());
  INFO(stream.err);
  CHECK(stream.code == 0);
  CHECK_THAT(stream.out, Contains("5 prompts"));
}
