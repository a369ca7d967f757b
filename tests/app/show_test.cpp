// What people read of a store, and what their shell completes.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/program.h"
#include "catch.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

TEST_CASE("show prints a sample's chunks, every cell's choice and answer; --json gives its export lines") {
  const TempFolder folder;
  folder.write("a.yaml",
               "name: tiny\nmodel: " + tiny_model("tiny-llama") +
                   "\nchat: raw\ndtype: f32\ntasks:\n  - ruler/niah_single_1: {length: 900, samples: 1, seed: "
                   "1}\nmax_new_tokens: 4\nchunker: {fixed: 128}\nstore: {scores: true}\n"
                   "strategies: [full, reuse, epic, prophetkv]\nratios: [0.1, 0.4]\n");
  REQUIRE(kvmend::test::kvmend({"run", "a.yaml", "-q"}, folder.path()).code == 0);
  const auto shown = kvmend::test::kvmend({"show", "tiny.kvmend", "niah_single_1-1-0"}, folder.path());
  INFO(shown.err);
  REQUIRE(shown.code == 0);
  CHECK_THAT(shown.out, Contains("references") && Contains("chunk 1") && Contains("prophetkv at 0.1"));
  CHECK_THAT(shown.out, Contains("⟦"));
  CHECK_THAT(shown.out, !Contains("prophetkv at 0.4") && !Contains("\033["));
  const auto colored = kvmend::test::kvmend(
      {"show", "tiny.kvmend", "niah_single_1-1-0", "--color", "always", "--ratio", "0.4"}, folder.path());
  CHECK_THAT(colored.out, Contains("prophetkv at 0.4") && Contains("\033[1;38;5;16;48;5;214m"));

  CHECK_THAT(shown.out, Contains("Overlap at 0.1:") && Contains("query's attention (prophetkv)"));
  const auto overlap = nlohmann::json::parse(
      kvmend::test::kvmend({"show", "tiny.kvmend", "niah_single_1-1-0", "--overlap", "--json"}, folder.path()).out);
  CHECK(overlap["names"] == nlohmann::json({"epic at 0.1", "epic at 0.4", "prophetkv at 0.1",
                                            "prophetkv at 0.4"}));  // neither full nor reuse
  CHECK(overlap["jaccard"][2][3].get<double>() ==
        Approx(0.25).margin(0.02));  // of nested sets: the ratio of their sizes
  CHECK(overlap["crowding_out"][2].get<double>() <= overlap["crowding_out"][0].get<double>());

  const auto rows = kvmend::test::kvmend({"show", "tiny.kvmend", "niah_single_1-1-0", "--json"}, folder.path());
  const auto exported = kvmend::test::kvmend({"export", "tiny.kvmend"}, folder.path());
  CHECK(rows.out == exported.out);
  CHECK(nlohmann::json::parse(rows.out.substr(0, rows.out.find('\n'))).at("strategy") == "full");

  const auto wrong = kvmend::test::kvmend({"show", "tiny.kvmend", "nothing"}, folder.path());
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Contains("no sample 'nothing'"));
  CHECK(kvmend::test::kvmend({"show", "tiny.kvmend", "niah_single_1-1-0", "--ratio", "0.3"}, folder.path()).code == 2);
}

TEST_CASE("what a sparsifying strategy kept and the memory it saved are said wherever they are less than all") {
  const TempFolder folder;
  folder.write("a.yaml",
               "name: tiny\nmodel: " + tiny_model("tiny-llama") +
                   "\nchat: raw\ndtype: f32\ntasks:\n  - ruler/niah_single_1: {length: 900, samples: 1, seed: "
                   "1}\nmax_new_tokens: 2\nchunker: {fixed: 128}\n"
                   "strategies: [epic, samkv: {block: 4}]\nratios: [0.4]\n");
  REQUIRE(kvmend::test::kvmend({"run", "a.yaml", "-q"}, folder.path()).code == 0);
  const auto exported = kvmend::test::kvmend({"export", "tiny.kvmend"}, folder.path()).out;
  const auto epic = nlohmann::json::parse(exported.substr(0, exported.find('\n')));
  const auto row = nlohmann::json::parse(exported.substr(exported.find('\n')));
  const int n = row["n_context"], kept = static_cast<int>(row["kept"].size());
  CHECK(kept <= 0.4 * n);
  CHECK(row["kept_fraction"].get<double>() == Approx(static_cast<double>(kept) / n));
  CHECK(row["memory_saved_bytes"] == (n - kept) * 2 * 3 * 2 * 16 * 4);  // layers, KV heads, columns, bytes
  CHECK_FALSE(epic.contains("kept_fraction"));
  const auto shown = kvmend::test::kvmend({"show", "tiny.kvmend", "niah_single_1-1-0"}, folder.path());
  const std::string share = "keeps " + std::to_string(kept) + " of " + std::to_string(n) + " context rows (";
  CHECK_THAT(shown.out, Contains("samkv (block: 4) at 0.4 " + share) && Contains(" KiB of KV cache"));
  CHECK_THAT(shown.out, !Contains("epic at 0.4 keeps"));
  CHECK_THAT(shown.out, Contains("\nsamkv (block: 4): SamKV-style; block sizes"));
  const auto table = kvmend::test::kvmend({"table", "tiny.kvmend", "--value", "kept,memory_saved"}, folder.path());
  CHECK_THAT(table.out, Contains("context rows kept in the cache, %") && Contains("MiB a prompt"));

  const std::string request = R"({"prefix": "Some facts. ", "chunks": ["The sky is blue today, as it was a week ago. ",
      "Grass is green, as ever, and nobody cuts it. "], "query": "What colour is grass?"})";
  const auto selected =
      kvmend::test::kvmend({"select", "--model", tiny_model("tiny-llama"), "--request", "-", "--strategy", "epic",
                            "--strategy", "samkv: {block: 4}", "--ratio", "0.5"},
                           ".", request);
  INFO(selected.err);
  CHECK(selected.code == 0);
  const auto at = selected.out.find("  keeps ");
  CHECK(at != std::string::npos);
  CHECK(at > selected.out.find("samkv"));
  CHECK(selected.out.find("\n  SamKV-style; block sizes") > at);
  CHECK(selected.out.find("  keeps ", at + 1) == std::string::npos);  // epic keeps everything
}

TEST_CASE("select compares selections with each other and with what the query attends to, and paints the context") {
  const std::string request =
      R"({"prefix": "Some facts. ", "chunks": ["The sky is blue today. ", "Grass is green, as ever. ",
      "Snow is white in winter. "], "query": "What colour is grass?"})";
  const std::vector<std::string> command{"select",     "--model",    tiny_model("tiny-llama"),
                                         "--request",  "-",          "--strategy",
                                         "prophetkv",  "--strategy", "epic",
                                         "--strategy", "full",       "--ratio",
                                         "0.3",        "--overlap"};
  const auto with = [&](const std::string& flag) {
    std::vector<std::string> words = command;
    words.push_back(flag);
    return kvmend::test::kvmend(words, ".", request);
  };
  const auto text = with("--text");
  INFO(text.err);
  CHECK(text.code == 0);
  CHECK_THAT(text.out,
             Contains("⟦") && Contains("exact") && Contains("1 prophetkv at 0.3") && Contains("2 epic at 0.3"));
  CHECK_THAT(text.out, Contains("query's attention (oracle_attention)") && !Contains("3 full"));
  CHECK(with("-q").err.empty());
  CHECK_THAT(with("-v").err, Contains("kvmend: prophetkv at 0.3: load ") && Contains("kvmend: full: load "));
  const auto json = nlohmann::json::parse(with("--json").out);
  CHECK(json["overlap"]["names"].size() == 2);
  const auto &ours = json["results"][0]["selected"], &theirs = json["results"][1]["selected"];
  std::vector<int> both;
  for (const auto& i : ours) {
    if (std::find(theirs.begin(), theirs.end(), i) != theirs.end()) both.push_back(i);
  }
  CHECK(json["overlap"]["jaccard"][0][1].get<double>() ==
        Approx(static_cast<double>(both.size()) / static_cast<double>(ours.size() + theirs.size() - both.size())));
  CHECK(json["results"][0].contains("exact_selected"));
}

TEST_CASE(
    "where the budget went: the same table from a store and from a sample's line, evidence and many chunks included") {
  const TempFolder folder;
  const std::string task = "ruler/niah_single_1", model = tiny_model("tiny-llama");
  folder.write("a.yaml", "name: tiny\nmodel: " + model + "\nchat: raw\ndtype: f32\ntasks:\n  - " + task +
                             ": {length: 900, samples: 1, seed: 1}\nmax_new_tokens: 2\nchunker: {fixed: 8}\n"
                             "strategies: [infoflow_reorder, random]\nratios: [0.3]\n");
  REQUIRE(kvmend::test::kvmend({"run", "a.yaml", "-q"}, folder.path()).code == 0);
  const auto shown =
      kvmend::test::kvmend({"show", "tiny.kvmend", "niah_single_1-1-0", "--text", "none"}, folder.path());
  const auto sample = kvmend::test::kvmend({"sample", task, "--model", model, "--chat", "raw", "--chunker", "fixed: 8",
                                            "--set", "length=900", "--set", "seed=1", "-n", "1"});
  INFO(sample.err);
  REQUIRE(sample.code == 0);
  const auto selected =
      kvmend::test::kvmend({"select", "--model", model, "--request", "-", "--strategy", "infoflow_reorder",
                            "--strategy", "random", "--ratio", "0.3", "--max-new-tokens", "2"},
                           ".", sample.out);
  INFO(selected.err);
  REQUIRE(selected.code == 0);
  const auto table = [](const std::string& text) {
    const std::size_t begin = text.find("Where the budget went:");
    return begin == std::string::npos ? std::string() : text.substr(begin, text.find("\nunits:", begin) - begin);
  };
  CHECK_THAT(table(shown.out), Contains("evidence") && Contains("middle") && Contains("▃"));
  CHECK(table(shown.out) == table(selected.out));
  CHECK_THAT(shown.out, Contains(" units a line"));  // more chunks than fit

  // Evidence is that of the text: of a plan that reorders, the indices of the given order count.
  const auto row = nlohmann::json::parse(
      kvmend::test::kvmend(
          {"show", "tiny.kvmend", "niah_single_1-1-0", "--where", "strategy=infoflow_reorder", "--json"}, folder.path())
          .out);
  REQUIRE(row["selected_original"] != row["selected"]);
  int caught = 0, all = 0;
  for (const auto& span : row["evidence"]) {
    all += span[1].get<int>() - span[0].get<int>();
    for (const int i : row["selected_original"].get<std::vector<int>>())
      caught += span[0].get<int>() <= i && i < span[1].get<int>();
  }
  CHECK_THAT(table(shown.out), Contains(std::to_string(caught) + "/" + std::to_string(all)));
}

TEST_CASE("completion knows commands, options, and the words some options take") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = kvmend::test::kvmend({"completion", shell});
    CHECK(script.code == 0);
    CHECK_THAT(script.out, Contains("prophetkv") && Contains("smollm2-135m") && Contains("show"));
    CHECK_THAT(script.out, !Contains("worker"));
  }
  const TempFolder folder;
  folder.write("kvmend.bash", kvmend::test::kvmend({"completion", "bash"}).out);
  const auto completed = [&](const std::string& words, int at) {
    folder.write("ask.bash", "source kvmend.bash\nCOMP_WORDS=(" + words + ")\nCOMP_CWORD=" + std::to_string(at) +
                                 "\n_kvmend\nprintf '%s ' \"${COMPREPLY[@]}\" > out\n");
    REQUIRE(std::system(("cd " + folder.path().string() + " && bash ask.bash").c_str()) == 0);
    std::string out;
    std::getline(std::ifstream(folder.path() / "out"), out);
    return out;
  };
  CHECK(completed("kvmend ta", 1) == "table ");
  CHECK_THAT(completed("kvmend run --s", 2), Contains("--set") && Contains("--shard"));
  CHECK(completed("kvmend select --dtype b", 3) == "bf16 ");
  CHECK_THAT(completed("kvmend select --strategy cache", 3), Contains("cacheblend "));
  CHECK_THAT(completed("kvmend list ''", 2), Contains("strategies") && Contains("chunkers"));
}

TEST_CASE("list explains a table's values, and says from which score on a sample counts as solved") {
  const auto values = kvmend::test::kvmend({"list", "values"});
  CHECK(values.code == 0);
  CHECK_THAT(values.out, Contains("score_solved") && Contains("scores 0.5 or more on") && Contains("crowding_out"));
  CHECK_THAT(kvmend::test::kvmend({"table", "--help"}).out, Contains("kvmend list values"));
}
