// A user's own file of questions, through the whole program: what is wrong with it, what is left out, and where that is said.
#include <sqlite3.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "app/program.h"
#include "catch.h"
#include "core/file.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

namespace {

/// 800 questions; line 731 is no JSON, and every hundredth answer is in none of its passages.
std::string questions(bool broken) {
  std::string out;
  for (int i = 1; i <= 800; ++i) {
    const std::string k = std::to_string(i);
    if (broken && i == 731) {
      out += "{\"question\": \"Where?\", \"answers\": [\"here\"\n";
      continue;
    }
    out += R"({"id": "k)" + k + R"(", "question": "What is fact )" + k + R"(?", "answers": ["value)" +
           (i % 100 == 0 ? "?" : k) + R"(-"], "passages": [{"title": "T", "text": "Fact )" + k + R"( is value)" + k +
           R"(-.", "gold": true}]})" + "\n";
  }
  return out;
}

std::string config(const std::string& more = "") {
  return "name: own\nmodel: " + tiny_model("tiny-llama") +
         "\nchat: raw\ndtype: f32\ntasks:\n  - qa_custom: {file: q.jsonl, passages: 2, samples: 3" + more +
         "}\nchunker: passage\nmax_new_tokens: 2\nstrategies: [full, reuse]\n";
}

/// Puts the right answer within a longer one into every stored result.
void answer_wordily(const std::string& store) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(store.c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database,
                     "UPDATE results SET prediction = 'it is ' || (SELECT json_extract(answers, '$[0]') FROM samples s "
                     "WHERE s.sample = results.sample)",
                     nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

/// What export prints of a store's results.
std::vector<nlohmann::json> rows_of(const TempFolder& folder, const std::string& store) {
  const auto exported = kvmend::test::kvmend({"export", store}, folder.path());
  REQUIRE(exported.code == 0);
  std::vector<nlohmann::json> rows;
  std::istringstream in(exported.out);
  for (std::string line; std::getline(in, line);) rows.push_back(nlohmann::json::parse(line));
  return rows;
}

}  // namespace

TEST_CASE("a broken line among 800 is an error by its place, or skipped and counted wherever results are shown") {
  const TempFolder folder;
  folder.write("q.jsonl", questions(true));
  folder.write("own.yaml", config());
  const auto broken = kvmend::test::kvmend({"run", "own.yaml"}, folder.path());
  CHECK(broken.code == 3);
  CHECK_THAT(broken.err, Contains("q.jsonl:731:42: no valid JSON"));

  folder.write("own.yaml", config(", on_error: skip"));
  const std::string skipped = "q.jsonl: 1 of 800 lines skipped; the first: ",
                    unanswerable = "q.jsonl: 8 of 799 questions have their answer in none of their passages (kept)";
  const auto dry = kvmend::test::kvmend({"run", "own.yaml", "--dry-run"}, folder.path());
  CHECK(dry.code == 0);
  CHECK_THAT(dry.out,
             Contains("note: " + skipped) && Contains("note: " + unanswerable) && Contains("Fact 1 is value1-."));
  const auto run = kvmend::test::kvmend({"run", "own.yaml", "--notify", "echo $KVMEND_STATUS > told"}, folder.path());
  CHECK(run.code == 0);
  CHECK_THAT(run.err, Contains("qa_custom: " + skipped) && Contains("q.jsonl:731:42") && Contains(unanswerable));
  CHECK(kvmend::read_file(folder.path() / "told") == "done\n");
  const auto table = kvmend::test::kvmend({"table", "own.kvmend"}, folder.path());
  CHECK_THAT(table.out, Contains("lines skipped") && Contains("in none of their passages (kept)"));
  const auto sample = kvmend::test::kvmend({"sample", "qa_custom: {file: q.jsonl, on_error: skip, unanswerable: drop}",
                                            "--model", tiny_model("tiny-llama"), "--first", "790"},
                                           folder.path());
  CHECK_THAT(sample.err, Contains("8 of 799") && Contains("(left out)"));
  CHECK(nlohmann::json::parse(sample.out).at("id") == "k799-42-0");
}

TEST_CASE(
    "a sample whose prompt and answer leave the model's context fails in its cells, with the numbers; others run") {
  const TempFolder folder;
  std::string lines = questions(false), word = "river ";
  std::size_t end = 0;
  for (int i = 0; i < 2; ++i) end = lines.find('\n', end) + 1;
  lines.resize(end);
  std::string passage = "Fact 3 is value3-. ";
  for (int i = 0; i < 2000; ++i) passage += word;
  lines +=
      R"({"id": "k3", "question": "What is fact 3?", "answers": ["value3-"], "passages": [{"title": "T", "text": ")" +
      passage + R"(", "gold": true}]})" + "\n";
  folder.write("q.jsonl", lines);
  std::string one_passage = config();
  one_passage.replace(one_passage.find("passages: 2"), 11, "passages: 1");
  folder.write("own.yaml", one_passage);
  const auto run = kvmend::test::kvmend({"run", "own.yaml"}, folder.path());
  INFO(run.err);
  CHECK(run.code == 5);
  CHECK_THAT(run.err, Contains("6 results computed") && Contains("2 results failed") &&
                          Contains("k3-42-0: the prompt has ") && Contains("the model was made for 1024"));
}

TEST_CASE("a task that asks for all samples says how many lack") {
  const TempFolder folder;
  const std::string lines = questions(false);
  std::size_t end = 0;
  for (int i = 0; i < 3; ++i) end = lines.find('\n', end) + 1;
  folder.write("q.jsonl", lines.substr(0, end));
  std::string all = config();
  all.replace(all.find(", samples: 3"), 12, "");
  folder.write("own.yaml", all);
  REQUIRE(kvmend::test::kvmend({"run", "own.yaml", "-q", "--shard", "2/2"}, folder.path()).code == 0);
  CHECK_THAT(
      kvmend::test::kvmend({"table", "own.kvmend"}, folder.path()).out,
      Contains("incomplete: 2 of 6 results: 2 of 2 cells that have begun lack samples (they have 1); run again"));
  const auto merged = kvmend::test::kvmend({"merge", "out.kvmend", "own.kvmend"}, folder.path());
  CHECK_THAT(merged.err, Contains("missing: shard 1/2 of own: none of the stores is of it") &&
                             Contains("missing: qa_custom lacks 2 of 3 samples in 2 cells: full, reuse"));
  REQUIRE(kvmend::test::kvmend({"run", "own.yaml", "-q"}, folder.path()).code == 0);
  CHECK(kvmend::test::kvmend({"merge", "out.kvmend", "own.kvmend"}, folder.path()).err.find("missing") ==
        std::string::npos);
}

TEST_CASE("the store says which file results are from, by its hash, and which version of the task") {
  const TempFolder folder;
  folder.write("q.jsonl", questions(false));
  folder.write("own.yaml", config());
  REQUIRE(kvmend::test::kvmend({"run", "own.yaml", "-q"}, folder.path()).code == 0);
  CHECK_THAT(kvmend::test::kvmend({"table", "own.kvmend", "--rows", "data"}, folder.path()).out,
             Contains("q.jsonl sha256:"));
  // Another file under the same name is other data: computed anew, told apart.
  folder.write("q.jsonl", questions(false) + "\n");
  const auto again = kvmend::test::kvmend({"run", "own.yaml"}, folder.path());
  CHECK_THAT(again.err, Contains("6 results computed, 0 were there"));
}

TEST_CASE("a config that names another metric has what is stored scored by it, and computes only what is new") {
  const TempFolder folder;
  folder.write("q.jsonl", questions(false));
  folder.write("own.yaml", config(", metric: exact_match"));
  REQUIRE(kvmend::test::kvmend({"run", "own.yaml", "-q"}, folder.path()).code == 0);
  answer_wordily((folder.path() / "own.kvmend").string());
  folder.write("own.yaml", config(", metric: f1"));
  const auto other =
      kvmend::test::kvmend({"run", "own.yaml", "--set", "strategies=[full, reuse, no_context]"}, folder.path());
  CHECK(other.code == 0);
  CHECK_THAT(other.err,
             Contains("own.kvmend: 6 results of qa_custom were scored by exact_match; they are scored again, "
                      "by the config's f1") &&
                 Contains("3 results computed, 6 were there"));
  const auto rows = rows_of(folder, "own.kvmend");
  CHECK(rows.size() == 9);
  for (const auto& row : rows) {
    CHECK(row["metric"] == "f1");
    if (row["strategy"] != "no_context") CHECK(row["score"].get<double>() == Approx(0.5));  // one word of three
  }
  // With the same config again nothing is scored; with the old one everything is, the new strategy's results too.
  CHECK(kvmend::test::kvmend({"run", "own.yaml"}, folder.path()).err.find("scored") == std::string::npos);
  folder.write("own.yaml", config(", metric: exact_match"));
  CHECK_THAT(kvmend::test::kvmend({"run", "own.yaml"}, folder.path()).err,
             Contains("9 results of qa_custom were scored by f1") && Contains("0 results computed, 6 were there"));
  for (const auto& row : rows_of(folder, "own.kvmend")) {
    CHECK(row["metric"] == "exact_match");
    if (row["strategy"] != "no_context") CHECK(row["score"] == 0);
  }
}
