// Strategies that a config cannot have: refused before the sweep, with their place.
#include "app/bad_config.h"
#include "core/file.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("strategies that cannot run are refused before the sweep, each with its place") {
  const TempFolder folder;
  const std::string model = tiny_model("tiny-llama");
  const auto run = [&](const std::string& strategy, int code, const std::string& model_name, int errors = 1) {
    const auto result =
        refused(folder,
                "name: bad\nmodel: " + model_name + "\nchat: raw\ntasks: [" + needle +
                    "]\nchunker: {fixed: 128}\nratios: [0.2]\nstrategies:\n  - epic\n  - " + strategy + "\n",
                true, errors);
    CHECK(result.code == code);
    return result.err;
  };
  CHECK_THAT(run("prophetkv: {layers: [0, 99]}", 2, model), Contains("bad.yaml:9:5: prophetkv: layer 99 is past"));
  CHECK_THAT(run("infoflow: {layers: [3, 1]}", 2, model), Contains("bad.yaml:9:15:") && Contains("increasing"));
  CHECK_THAT(run("cachecraft: {layer: 7}", 2, model), Contains("bad.yaml:9:5: cachecraft: layer 7 is past"));
  CHECK_THAT(run("cacheblend: {check_layer: 40}", 2, model), Contains("bad.yaml:9:5: cacheblend:"));
  // A preset's errors have its own name, a part's both.
  CHECK_THAT(run("psr: {check_layer: 99}", 2, model), Contains("bad.yaml:9:5: psr: check_layer 99 is past"));
  CHECK_THAT(run("cacheblend_repo: {check_layer: 99}", 2, model),
             Contains("bad.yaml:9:5: cacheblend_repo: check_layer 99 is past"));
  CHECK_THAT(run("fusionrag: {layers: [99]}", 2, model), Contains("bad.yaml:9:5: fusionrag: layer 99 is past"));
  CHECK_THAT(run("combine: {scores: [fusionrag: {layers: [99]}]}", 2, model),
             Contains("bad.yaml:9:5: combine: fusionrag: layer 99 is past"));
  CHECK_THAT(run("cacheclip", 2, model), Contains("bad.yaml:9:5: cacheclip needs an aux_model"));
  CHECK_THAT(run("cacheclip: {aux_model: nowhere.gguf}", 3, model),
             Contains("bad.yaml:9:5: cacheclip: aux_model nowhere.gguf:") && Contains("no such model"));
  CHECK_THAT(run("speccache", 2, model), Contains("bad.yaml:9:5: speccache needs an aux_model"));
  CHECK_THAT(run("speccache: {aux_model: nowhere.gguf}", 3, model),
             Contains("bad.yaml:9:5: speccache: aux_model nowhere.gguf:") && Contains("no such model"));
  CHECK_THAT(run("combine: {scores: [prophetkv, cacheclip]}", 2, model),
             Contains("bad.yaml:9:35: cacheclip needs an aux_model"));
  CHECK_THAT(run("combine: {scores: [prophetkv, {speccache: {aux_model: nowhere.gguf}}]}", 3, model),
             Contains("bad.yaml:9:5: combine: aux_model nowhere.gguf:") && Contains("no such model"));
  CHECK_THAT(run("cacheclip: {aux_model: " + model + ", window: 0}", 2, model),
             Contains("window is 0, must be at least 1"));
  CHECK_THAT(run("cacheclip: {aux_model: " + tiny_model("tiny-bert") + "}", 2, model),
             Contains("bad.yaml:9:5: cacheclip: aux_model ") && Contains("a bert model is an encoder"));
  const std::string gpt2 = tiny_model("tiny-gpt2");
  CHECK_THAT(run("cacheclip: {aux_model: " + gpt2 + ", softmax: [per_chunk, joint]}", 2, model),
             Contains("bad.yaml:9:5: cacheclip: aux_model ") && Contains("it learns its positions"));
  CHECK_THAT(run("combine: {scores: [{cacheclip: {aux_model: " + gpt2 + "}}], sink: none}", 2, model),
             Contains("bad.yaml:9:5: combine: aux_model ") && Contains("it learns its positions"));
  const std::string deep = "speccache: {aux_model: " + model + ", layer: 99}";
  CHECK_THAT(run(deep, 2, model), Contains("bad.yaml:9:5: speccache: aux_model ") && Contains("layer 99 is past"));
  const auto alone = [&](const std::vector<std::string>& command, const std::string& strategy, const std::string& in) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--model", model, "--strategy", strategy});
    return kvmend::test::kvmend(arguments, folder.path(), in);
  };
  const std::string request = R"({"prefix": "A story.", "chunks": ["the river", "the sea"], "query": "where?"})";
  for (const auto& command :
       {std::vector<std::string>{"select", "--request", "-"}, {"bench", "select", "--tokens", "64"}}) {
    const auto late = alone(command, deep, request);
    CHECK(late.code == 2);
    CHECK_THAT(late.err, Contains("speccache: aux_model ") && Contains("layer 99 is past"));
  }
  CHECK(alone({"select", "--request", "-"}, "cacheclip: {aux_model: " + gpt2 + "}", request).code == 0);
  // An auxiliary's own tokens and context count.
  const auto auxiliary = [&](const std::string& file, const std::string& from, const std::string& to) {
    const fs::path copy = folder.path() / "aux";
    fs::remove_all(copy);
    fs::copy(tiny_model("tiny-llama"), copy);
    std::string text = kvmend::read_file(copy / file);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    folder.write("aux/" + file, text.replace(at, from.size(), to));
    return run("cacheclip: {aux_model: " + copy.string() + "}", 2, model);
  };
  CHECK_THAT(auxiliary("config.json", "\"max_position_embeddings\": 1024", "\"max_position_embeddings\": 64"),
             Contains("bad.yaml:9:5: cacheclip: aux_model ") && Contains("it was made for a context of 64"));
  CHECK_THAT(run("ape: {temperature: 0}", 2, model), Contains("bad.yaml:9:24: temperature is 0, must be between"));
  CHECK_THAT(run("samkv", 2, tiny_model("tiny-mistral")), Contains("bad.yaml:9:5: samkv:") && Contains("window"));
  CHECK_THAT(run("from_file: {path: none.jsonl}", 2, model), Contains("bad.yaml:9:16: none.jsonl: no such score file"));
  folder.write("s.jsonl", "{\"id\": \"x\", \"scores\": [1]}\n{\"id\": \"niah_single_1-1-0\", \"scores\": [1]}\n");
  CHECK_THAT(run("from_file: {path: s.jsonl}", 3, model),
             Contains("bad.yaml:9:5: s.jsonl: no scores for 1 of 2 samples, the first is 'niah_single_1-1-1'"));
  CHECK_THAT(run("combine: {scores: [{from_file: {path: s.jsonl}}]}", 3, model), Contains("bad.yaml:9:5: s.jsonl:"));
  CHECK_THAT(run("combine: {scores: [prophetkv, infoflow]}", 2, model),
             Contains("bad.yaml:9:5: combine: prophetkv has sink none by default, infoflow has shared_prefix; give "
                      "combine its own `sink`"));
  CHECK_THAT(run("combine: {scores: [prophetkv], pinned: samkv}", 2, model),
             Contains("bad.yaml:9:44: combine: samkv does more than choose tokens"));
  CHECK_THAT(run("combine: {scores: [{prophetkv: {fusion: rank}}, random]}", 2, model),
             Contains("bad.yaml:9:24: combine: prophetkv (fusion: rank) can have negative scores"));
  folder.write("s.jsonl", "{\"id\": \"x\", \"scores\": [1]}\n{\"id\": \"x\", \"scores\": [1]}\n");
  CHECK_THAT(run("from_file: {path: s.jsonl}", 2, model), Contains("s.jsonl:2:1: a second line for sample 'x'"));
}

TEST_CASE("a strategy that cannot run on the model is refused with its place, before the sweep") {
  const TempFolder folder;
  folder.write("prompts.jsonl", "{\"prompt\": \"the river\"}\n");
  const std::string stream = "stream: {file: prompts.jsonl}";
  const auto learned = refused(folder, bad_config(tiny_model("tiny-gpt2"), stream));
  CHECK(learned.code == 2);
  CHECK_THAT(learned.err,
             Contains("bad.yaml:8:20: epic: gpt2 models learn their positions") && Contains("kvmend recycle"));
  const auto encoder = refused(folder, bad_config(tiny_model("tiny-bert"), stream));
  CHECK(encoder.code == 2);
  CHECK_THAT(encoder.err, Contains("is an encoder"));
  std::string window = bad_config(tiny_model("tiny-gemma3"), stream);
  window.replace(window.find("epic"), 4, "samkv");
  const auto windowed = refused(folder, window);
  CHECK(windowed.code == 2);
  CHECK_THAT(windowed.err, Contains("bad.yaml:8:20: samkv:") && Contains("sliding window"));
}

TEST_CASE("an auxiliary tokenizer that has nothing for a chunk cannot be aligned with it") {
  const TempFolder folder;
  const fs::path copy = folder.path() / "aux";
  fs::copy(tiny_model("tiny-llama"), copy);
  std::string text = kvmend::read_file(copy / "tokenizer.json");
  const auto at = text.find("\"4\": 22,");
  REQUIRE(at != std::string::npos);
  folder.write("aux/tokenizer.json", text.erase(at, 8));
  const auto result = kvmend::test::kvmend({"select", "--model", tiny_model("tiny-llama"), "--strategy",
                                            "cacheclip: {aux_model: aux}", "--ratio", "0.5", "--request", "-"},
                                           folder.path(), R"({"prefix": "a", "chunks": ["b c", "444"], "query": "c"})");
  CHECK(result.code == 2);
  CHECK_THAT(result.err, Contains("the auxiliary model aux has no token for the chunk at bytes [4, 7)"));
}
