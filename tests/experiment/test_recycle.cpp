// KV cache recycling on tiny models: what is found, that reuse changes nothing, and what is refused.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/error.h"
#include "experiment/recycle/recycle.h"
#include "experiment/temp_folder.h"
#include "paths.h"

using namespace kvmend;
using Catch::Contains;

namespace {

const std::string models = std::string(source_folder()) + "/tests/data/models/";

/// A talk that grows, a prompt that begins the same and goes on otherwise, and one of its own.
const char* const stream =
    "{\"id\": \"a\", \"prompt\": \"the river\"}\n"
    "{\"id\": \"ab\", \"prompt\": \"the river and the sea\"}\n"
    "{\"id\": \"ac\", \"prompt\": \"the river and a town\"}\n"
    "{\"id\": \"z\", \"prompt\": \"Zebra 77\"}\n"
    "{\"id\": \"abc\", \"prompt\": \"the river and the sea and the sky\"}\n"
    "{\"id\": \"again\", \"prompt\": \"the river and the sea\"}\n";

RecycleConfig make_config(const TempFolder& folder, const std::string& model) {
  folder.write("prompts.jsonl", stream);
  RecycleConfig config;
  config.model = models + model;
  config.encoder = models + "tiny-bert";
  config.prompts = "prompts.jsonl";
  config.folder = folder.path();
  config.neighbours = 100;
  config.max_new_tokens = 5;
  config.device = "cpu";
  config.threads = 2;
  return config;
}

const RecycleRow& row_of(const RecycleResult& result, const std::string& id, Lookup lookup) {
  for (const RecycleRow& row : result.rows) {
    if (row.prompt_id == id && row.lookup == lookup) return row;
  }
  FAIL("no row " << id);
  return result.rows.front();
}

std::string error_of(const TempFolder& folder, const std::string& text) {
  folder.write("recycle.yaml", text);
  try {
    run_recycling(load_recycle_config(folder.path() / "recycle.yaml"));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("recycled prompts give the same answers, with learned positions, windows and RoPE") {
  const auto model = GENERATE(as<std::string>(), "tiny-gpt2", "tiny-gemma3.gguf", "tiny-qwen3");
  CAPTURE(model);
  const TempFolder folder;
  const RecycleResult result = run_recycling(make_config(folder, model));
  REQUIRE(result.rows.size() == 12);
  CHECK(result.prompts == 6);
  for (const RecycleRow& row : result.rows) {
    CAPTURE(row.prompt_id, enum_name(row.lookup));
    CHECK(row.equal);
    CHECK(row.logit_difference < 1e-4);
    CHECK(row.prefix_match == (row.reuse_depth > 0));
    CHECK(row.reuse_depth < row.tokens);
    CHECK(row.latency_s >= row.ttft_s);
    CHECK(row.ttft_s >= row.lookup_s + row.load_s);
    CHECK(row.baseline_s >= row.baseline_ttft_s);
  }
  using enum Lookup;
  CHECK(row_of(result, "a", nearest).nearest.empty());
  CHECK_FALSE(row_of(result, "a", longest_prefix).prefix_match);
  const int a = row_of(result, "a", nearest).tokens, ab = row_of(result, "ab", nearest).tokens;
  CHECK(row_of(result, "ab", nearest).reuse_depth == a);
  CHECK(row_of(result, "ac", nearest).reuse_depth == a);  // "ab" is no prefix of it, though it shares more
  CHECK(row_of(result, "ac", longest_prefix).reuse_depth > a);
  CHECK(row_of(result, "abc", longest_prefix).reuse_depth == ab);
  const int depth = row_of(result, "abc", nearest).reuse_depth;
  CHECK((depth == a || depth == ab));  // whichever is nearer; both are prefixes
  CHECK_FALSE(row_of(result, "z", nearest).prefix_match);
  CHECK_FALSE(row_of(result, "z", nearest).nearest.empty());
  CHECK(row_of(result, "again", longest_prefix).reuse_depth == ab - 1);  // the last token runs in any case
  for (const RecycleRow& row : result.rows) {
    if (row.lookup == nearest) CHECK(row.reuse_depth <= row_of(result, row.prompt_id, longest_prefix).reuse_depth);
  }
}

TEST_CASE("with one neighbour only the nearest prompt is tried") {
  const TempFolder folder;
  RecycleConfig config = make_config(folder, "tiny-gpt2");
  folder.write("prompts.jsonl",
               "{\"id\": \"a\", \"prompt\": \"the river\"}\n{\"id\": \"b\", \"prompt\": \"Zebra 77\"}\n"
               "{\"id\": \"b2\", \"prompt\": \"Zebra 77\"}\n");
  config.neighbours = 1;
  config.lookups = {Lookup::nearest};
  const RecycleResult result = run_recycling(config);
  REQUIRE(result.rows.size() == 3);
  CHECK(result.rows[2].nearest == "b");
  CHECK(result.rows[2].similarity == Approx(1.0).margin(1e-5));
  CHECK(result.rows[2].prefix_match);
}

TEST_CASE("caches on disk are read back, and a damaged one is made again") {
  const TempFolder folder;
  RecycleConfig config = make_config(folder, "tiny-gpt2");
  config.load_from = LoadFrom::disk;
  config.cache_dir = "caches";
  const RecycleResult first = run_recycling(config);
  CHECK(first.cache.bytes_written > 0);
  CHECK(first.cache.bytes_read > 0);
  CHECK(first.cache.rejected_files == 0);
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / "caches")) {
    if (!entry.is_regular_file()) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('\x55');
    ++files;
  }
  CHECK(files == 5);  // "again" is "ab"
  const RecycleResult second = run_recycling(config);
  CHECK(second.cache.rejected_files > 0);
  for (const RecycleRow& row : second.rows) CHECK(row.equal);
  CHECK_THAT(recycle_text(second), Contains("cache files could not be used"));
}

TEST_CASE("the summary and the rows say the same") {
  const TempFolder folder;
  const RecycleResult result = run_recycling(make_config(folder, "tiny-gpt2"));
  const std::string text = recycle_text(result);
  CHECK_THAT(text, Contains("6 prompts") && Contains("nearest") && Contains("longest_prefix") && Contains("6/6"));
  const std::string json = recycle_json(result);
  CHECK(std::count(json.begin(), json.end(), '\n') == 12);
  const auto line = nlohmann::json::parse(json.substr(0, json.find('\n')));
  for (const char* key : {"prompt_id", "nearest", "similarity", "prefix_match", "reuse_depth", "latency_s",
                          "baseline_s", "equal", "lookup", "tokens", "ttft_s", "baseline_ttft_s"}) {
    CHECK(line.contains(key));
  }
  CHECK(line["nearest"].is_null());
}

TEST_CASE("a config or a stream that cannot run is refused with its place") {
  const TempFolder folder;
  folder.write("prompts.jsonl", stream);
  const std::string good = "model: " + models + "tiny-gpt2\nencoder: " + models + "tiny-bert\nprompts: prompts.jsonl\n";
  CHECK(error_of(folder, good + "max_new_tokens: 2\n").empty());
  const std::string wrong = error_of(folder, good + "neighbors: 2\nsamples: -1\nlookups: [closest]\nmemory: 3 cows\n");
  CHECK_THAT(wrong, Contains("recycle.yaml:4:1: ") && Contains("did you mean 'neighbours'"));
  CHECK_THAT(wrong, Contains("recycle.yaml:5:10: samples"));
  CHECK_THAT(wrong, Contains("recycle.yaml:6:") && Contains("recycle.yaml:7:"));
  CHECK_THAT(error_of(folder, "encoder: x\n"), Contains("model is missing") && Contains("prompts is missing"));
  CHECK_THAT(error_of(folder, good + "load_from: disk\n"),
             Contains("recycle.yaml:4:12: load_from: disk needs cache_dir"));
  CHECK_THAT(error_of(folder, good + "samples: 7\n"), Contains("samples is 7, but prompts.jsonl has 6 prompts"));
  CHECK_THAT(error_of(folder, good + "max_new_tokens: 120\n"),
             Contains("prompts.jsonl: prompt 'ab") && Contains("takes 8"));
  const std::string llama = models + "tiny-llama";
  CHECK_THAT(error_of(folder, "model: " + llama + "\nencoder: " + llama + "\nprompts: prompts.jsonl\n"),
             Contains("is no sentence encoder"));
  CHECK_THAT(error_of(folder, "model: " + models + "tiny-bert\nprompts: prompts.jsonl\n"), Contains("is an encoder"));
  folder.write("prompts.jsonl", "{\"prompt\": \"a\"}\n{\"text\": \"b\"}\n");
  CHECK_THAT(error_of(folder, good), Contains("prompts.jsonl:2:1: no 'prompt'"));
}
