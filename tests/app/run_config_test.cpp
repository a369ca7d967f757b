// `run` and its configs as a newcomer meets them: stores that are gone on with, overlays, first looks, mistakes.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "app/program.h"
#include "catch.h"
#include "core/file.h"
#include "paths.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

namespace {

std::string config(const std::string& model,
                   const std::string& task = "ruler/niah_single_1: {length: 700, samples: 2, seed: 1}") {
  return "name: tiny\nmodel: " + model + "\nchat: raw\ndtype: f32\nmax_new_tokens: 3\ntasks:\n  - " + task +
         "\nchunker: {fixed: 128}\nstrategies: [full, epic]\nratios: [0.2]\n";
}

/// Neither models nor data sets are there while it lives.
struct NothingFetched {
  explicit NothingFetched(const TempFolder& folder) {
    const auto nowhere = (folder.path() / "nowhere").string();
    for (const char* name : {"KVMEND_MODELS", "KVMEND_DATASETS", "KVMEND_JIEBA"}) {
      const char* was = std::getenv(name);
      before.emplace_back(name, was ? was : "");
      ::setenv(name, nowhere.c_str(), 1);
    }
  }
  ~NothingFetched() {
    for (const auto& [name, value] : before)
      value.empty() ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value.c_str(), 1);
  }
  std::vector<std::pair<std::string, std::string>> before;
};

}  // namespace

TEST_CASE("run says that a store holds the results of other settings, and nothing of a wider grid") {
  const TempFolder folder;
  folder.write("a.yaml", config(tiny_model("tiny-llama")));
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"run", "a.yaml", "-q"});
    const auto result = kvmend::test::kvmend(more, folder.path());
    CHECK(result.code == 0);
    return result.err;
  };
  CHECK(run({}).empty());
  CHECK(run({"--set", "tasks.*.samples=3", "--set", "strategies=[full, epic, random]", "--set", "ratios=[0.2, 0.5]"})
            .empty());
  const std::string mixed = run({"--set", "max_new_tokens=2", "--set", "tasks.*.length=800"});
  CHECK_THAT(mixed, Contains("kvmend: warning: tiny.kvmend holds results of other settings"));
  CHECK_THAT(mixed, Contains("max_new_tokens is 3 there and 2 now") && Contains("length is 700 there and 800 now"));
  CHECK_THAT(mixed, Contains("-o FILE"));
  CHECK(run({}).empty());  // what is there already adds nothing
}

TEST_CASE("a dry run without the model and the data prints the grid and names all that is missing") {
  const TempFolder folder;
  const NothingFetched nothing(folder);
  const std::string papers = kvmend::source_folder() + "/configs/papers/";
  const auto dry = kvmend::test::kvmend({"run", papers + "prophetkv-ruler.yaml", "--dry-run"}, folder.path());
  CHECK(dry.code == 3);  // what the run would end with
  CHECK_THAT(dry.out, Contains("model      Llama-3.1-8B-Instruct, bf16\nstrategies full\n           no_context\n"));
  CHECK_THAT(dry.out, Contains("\nratios     0.2\ngrid       91 cells = 7 strategies at their ratios × 13 tasks\n"));
  CHECK_THAT(dry.out, Contains("task       ruler/vt: 500 samples × 7 cells, ") && Contains("results    45500\n"));
  CHECK_THAT(dry.err, Contains("model 'Llama-3.1-8B-Instruct' is not in ") && Contains("--set model=NAME") &&
                          Contains(papers + "small.yaml behind the config"));
  CHECK_THAT(dry.err, !Contains("minilm"));  // an encoder answers nothing
  CHECK_THAT(dry.err, Contains("data sets are not here: squad (ruler/qa_1), hotpotqa (ruler/qa_2); "
                               "try: kvmend fetch squad hotpotqa "));

  const auto run = kvmend::test::kvmend({"run", papers + "prophetkv-ruler.yaml"}, folder.path());
  CHECK(run.code == 3);
  CHECK_THAT(run.err, Contains("Llama-3.1-8B-Instruct") && Contains("kvmend fetch squad hotpotqa"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "prophetkv-ruler.kvmend"));

  const auto small = kvmend::test::kvmend(
      {"run", papers + "prophetkv-longbench.yaml", papers + "small.yaml", "--dry-run", "--limit", "2"}, folder.path());
  CHECK(small.code == 3);
  CHECK_THAT(small.err, Contains("kvmend fetch smollm2-135m") && Contains("longbench (longbench/") &&
                            Contains("kvmend fetch longbench") && !Contains("behind the config"));
  CHECK_THAT(small.out, Contains(": 2 samples × "));
}

TEST_CASE("a dry run counts cells and results, and does not know how long answers will be") {
  const TempFolder folder;
  folder.write("a.yaml", config(tiny_model("tiny-llama")));
  const auto dry = kvmend::test::kvmend({"run", "a.yaml", "--dry-run"}, folder.path());
  INFO(dry.err);
  CHECK(dry.code == 0);
  CHECK_THAT(dry.out, Contains("\nstrategies full\n           epic\nratios     0.2\n"));
  CHECK_THAT(dry.out, Contains("grid       2 cells = 2 strategies at their ratios × 1 task\n"));
  CHECK_THAT(dry.out, Contains(": 2 samples × 2 cells = 4 results, metric") && Contains("\nresults    4: "));
  CHECK_THAT(dry.out, Contains(" at 100 GFLOP/s, by how long the answers are: "));
}

TEST_CASE("a config of the other command, and an overlay alone, are told so") {
  const TempFolder folder;
  const std::string papers = kvmend::source_folder() + "/configs/papers/";
  const auto recycling = kvmend::test::kvmend({"run", papers + "recycling.yaml"}, folder.path());
  CHECK(recycling.code == 2);
  CHECK(recycling.err == "kvmend: " + papers +
                             "recycling.yaml: a config of `kvmend recycle`, not of `kvmend run`: kvmend recycle " +
                             papers + "recycling.yaml\n");
  folder.write("a.yaml", config("m"));
  CHECK_THAT(kvmend::test::kvmend({"recycle", "a.yaml"}, folder.path()).err,
             Contains("a.yaml: a config of `kvmend run`"));
  const auto overlay = kvmend::test::kvmend({"run", papers + "small.yaml", "--dry-run"}, folder.path());
  CHECK(overlay.code == 2);
  CHECK_THAT(overlay.err, Contains("this one is an overlay; put a sweep before it"));
}

TEST_CASE("options are checked first, and named as they were written") {
  const TempFolder folder;
  folder.write("a.yaml", config(tiny_model("tiny-llama")));
  const auto refused = [&](std::vector<std::string> options, const std::string& words) {
    options.insert(options.begin(), {"run", "a.yaml", "--dry-run"});
    const auto result = kvmend::test::kvmend(options, folder.path());
    INFO(words);
    CHECK(result.code == 2);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, Contains(words));
  };
  refused({"--shard", "3/2"}, "--shard: '3/2' must be i/n");
  refused({"--shard", "0/2"}, "--shard: '0/2' must be i/n");
  refused({"--max-time", "3x"}, "--max-time: '3x' is no duration");
  refused({"--threads", "abc"}, "--threads: ");
  refused({"--dtype", "f64"}, "--dtype: ");
  refused({"--device", "gpu"}, "--device: device 'gpu' is none of auto, cpu, ");
  refused({"--set", "seed=1", "max_new_tokens=2"},
          "max_new_tokens=2: no such config file; a setting needs a --set of its own: --set max_new_tokens=2");
  CHECK_THAT(kvmend::test::kvmend({"run", "--help"}).out, Contains("repeat --set for several"));
}

TEST_CASE("score says which line lacks what") {
  const auto score = [](const std::string& line) {
    return kvmend::test::kvmend({"score", "f1", "-"}, ".", line + "\n");
  };
  const std::string good = R"({"prediction": "a b", "references": ["a b"]})";
  CHECK(score(good).out == "f1 100.00 (n = 1)\n");
  CHECK(score(good + R"(
{"prediction": "x"})")
            .code == 3);
  CHECK(score(good + R"(
{"prediction": "x"})")
            .err ==
        "kvmend: <stdin>:2:1: 'references' is missing; a line is {\"prediction\": \"…\", \"references\": [\"…\"]}\n");
  CHECK_THAT(score(R"({"prediction": 3, "references": []})").err, Contains("<stdin>:1:1: 'prediction' is no text"));
  CHECK_THAT(score(R"({"prediction": "x", "references": "x"})").err, Contains("'references' is no list of texts"));
  CHECK_THAT(score("[1]").err, Contains("expected an object"));
  CHECK_THAT(score("{").err, Contains(": not JSON"));
}

TEST_CASE("export writes a file and takes --where as table does") {
  const TempFolder folder;
  folder.write("a.yaml", config(tiny_model("tiny-llama")));
  REQUIRE(kvmend::test::kvmend({"run", "a.yaml", "-q"}, folder.path()).code == 0);
  const auto all = kvmend::test::kvmend({"export", "tiny.kvmend", "--format", "csv"}, folder.path());
  const auto file = kvmend::test::kvmend({"export", "tiny.kvmend", "--format", "csv", "-o", "x.csv"}, folder.path());
  CHECK(file.code == 0);
  CHECK(file.out.empty());
  CHECK(kvmend::read_file(folder.path() / "x.csv") == all.out);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "x.csv.partial"));
  const auto some = kvmend::test::kvmend({"export", "tiny.kvmend", "--where", "strategy=epic"}, folder.path());
  CHECK(std::count(some.out.begin(), some.out.end(), '\n') == 2);
  CHECK_THAT(some.out, !Contains("\"strategy\":\"full\""));
  CHECK_THAT(kvmend::test::kvmend({"export", "tiny.kvmend", "--where", "strategy=epik"}, folder.path()).err,
             Contains("did you mean 'epic'?"));
}
