#include "experiment/compare/compare.h"

#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/error.h"
#include "graded.h"

using namespace kvmend;

namespace {

std::string error_of(const TableData& data, const CompareQuery& query) {
  try {
    compare_strategies(data, query);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("two strategies are paired per ratio, per task and over all, with one Holm family") {
  const Filled store;
  const TableData data = load_table_data({store.path});
  const CompareResult result = compare_strategies(data, {.a = "prophetkv", .b = "random"});
  REQUIRE(result.rows.size() == 6);  // two ratios: two tasks and all of them
  CHECK(result.rows[0].task == "ruler/niah_single_1");
  CHECK(result.rows[2].task.empty());
  CHECK(result.rows[2].comparison.difference.n == 60);
  double smallest = 1;
  for (const auto& row : result.rows) {
    CHECK(row.a - row.b == Approx(row.comparison.difference.value));
    CHECK(row.comparison.p_holm >= row.comparison.p);
    smallest = std::min(smallest, row.comparison.p);
  }
  CHECK(std::any_of(result.rows.begin(), result.rows.end(), [&](const CompareRow& row) {
    return row.comparison.p == smallest && row.comparison.p_holm == Approx(std::min(1.0, 6 * smallest));
  }));
  check_golden("compare.txt", format_comparison(result, "text"));
  check_golden("compare.md", format_comparison(result, "md"));
  check_golden("compare.csv", without_params(format_comparison(result, "csv")));
}

TEST_CASE("a baseline without a ratio stands beside every ratio") {
  const Filled store;
  const TableData data = load_table_data({store.path});
  const auto one = compare_strategies(data, {.a = "full", .b = "prophetkv", .ratio = 0.2});
  CHECK(one.rows.size() == 3);
  CHECK(one.rows[0].ratio == 0.2);
  CHECK(one.rows[2].comparison.distinguishable());
  CHECK(compare_strategies(data, {.a = "prophetkv", .b = "full"}).rows.size() == 6);
  CHECK_FALSE(compare_strategies(data, {.a = "full", .b = "no_context"}).rows[0].ratio);
}

TEST_CASE("only the samples that full prefill solves, if asked") {
  const Filled store;
  const auto solved =
      compare_strategies(load_table_data({store.path}), {.a = "full", .b = "prophetkv", .solved = true});
  for (const auto& row : solved.rows) CHECK(row.a == 1);
  CHECK(solved.rows[2].comparison.difference.n < 60);
  CHECK_THAT(format_comparison(solved, "text"), Catch::Contains("only samples that full prefill solves"));
}

TEST_CASE("JSON of a comparison has the table's fields and the test's") {
  const Filled store;
  const auto result =
      compare_strategies(load_table_data({store.path}), {.a = "prophetkv", .b = "random", .ratio = 0.5});
  const auto json = nlohmann::json::parse(format_comparison(result, "json"));
  REQUIRE(json.size() == 3);
  for (const char* field : {"strategy", "params", "ratio", "task", "model", "chunker", "value", "n", "mean", "lo", "hi",
                            "effective_ratio", "flops_ratio", "distinguishable", "other", "p", "p_holm", "effect"})
    CHECK(json[0].contains(field));
  CHECK(json[0]["distinguishable"].is_boolean());
  CHECK(json[2]["task"].is_null());
}

TEST_CASE("names that mean nothing, or several strategies, are answered") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}]\n"
      "strategies: [full, prophetkv: {fusion: rank}, prophetkv: {fusion: max}, epic]\nratios: [0.2]\n",
      3);
  const TableData data = load_table_data({store.path});
  CHECK_THAT(error_of(data, {.a = "ful", .b = "epic"}), Catch::Contains("did you mean 'full'?"));
  CHECK_THAT(error_of(data, {.a = "prophetkv", .b = "epic"}),
             Catch::Contains("'prophetkv' is several strategies here; choose one of: 'prophetkv (fusion: rank)', "
                             "'prophetkv (fusion: max)'"));
  CHECK(error_of(data, {.a = "epic", .b = "epic"}) == "'epic' and 'epic' are the same strategy");
  CHECK(error_of(data, {.a = "epic", .b = "prophetkv (fusion: max)", .ratio = 0.7}) ==
        "'epic' and 'prophetkv (fusion: max)' have no samples in common at the ratio 0.7");
  CHECK_THROWS_WITH(format_comparison({}, "jsno"), Catch::Contains("did you mean 'json'?"));
}

TEST_CASE("results over other prompts are no pairs: each kind of run has rows of its own") {
  const std::string config = "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 8}]\nratios: [0.2]\n";
  const std::string both = config + "strategies: [full, epic]\n", longer = "max_new_tokens: 64\n";
  // Short answers are right at full prefill, long ones with epic.
  const auto score = [](const CellRecord& cell, int) {
    const bool is_long = !cell.canonical.find("max_new_tokens")->is_null();
    return (cell.strategy == "epic") == is_long ? 1.0 : 0.0;
  };
  const Filled store(both, 8, scored_by(score));
  {
    Store more = Store::open(store.path, Store::Mode::write);
    fill_store(more, both + longer, 0, 8, scored_by(score));
  }
  const TableData data = load_table_data({store.path});
  const auto result = compare_strategies(data, {.a = "epic", .b = "full"});
  REQUIRE(result.rows.size() == 2);
  for (const CompareRow& row : result.rows) {
    CHECK(row.comparison.difference.n == 8);
    CHECK(row.comparison.difference.value == (row.variant == "max_new_tokens: 64" ? 1 : -1));
    CHECK((row.variant == "max_new_tokens: 64" || row.variant == "max_new_tokens: –"));
  }
  CHECK(result.rows[0].variant != result.rows[1].variant);
  const std::string text = format_comparison(result, "text");
  CHECK_THAT(text, Catch::StartsWith("over ") && Catch::Contains("\nmax_new_tokens: 64 "));
  CHECK_THAT(format_comparison(result, "json"), Catch::Contains("\"variant\": \"max_new_tokens: 64\""));
  for (const char* own : {"", "–"}) {  // the task's own, as configs without it have it
    const auto chosen = compare_strategies(data, {.a = "epic", .b = "full", .where = {{"max_new_tokens", own}}});
    REQUIRE(chosen.rows.size() == 1);
    CHECK(chosen.rows[0].variant.empty());
    CHECK(chosen.rows[0].comparison.difference.value == -1);
    CHECK_THAT(format_comparison(chosen, "text"), Catch::StartsWith("ratio"));
  }
  // Where nothing pairs, it says in what they differ.
  const Filled apart(config + "strategies: [full]\n", 4);
  {
    Store more = Store::open(apart.path, Store::Mode::write);
    fill_store(more, config + longer + "strategies: [epic]\n", 0, 4);
  }
  CHECK(error_of(load_table_data({apart.path}), {.a = "epic", .b = "full"}) ==
        "'epic' and 'full' have no samples in common (max_new_tokens is 64 for epic, – for full)");
}

TEST_CASE("a task over two data sets is not compared under one name") {
  const Filled one, other;
  Store::open(other.path, Store::Mode::write)
      .database()
      .execute(
          "UPDATE cells SET key = 'x' || key, prompts = 'x' || prompts, "
          "canonical = replace(canonical, '\"generated\"', '\"q.jsonl sha256:1\"'); "
          "UPDATE samples SET prompts = 'x' || prompts");
  const TableData data = load_table_data({one.path, other.path});
  CHECK(error_of(data, {.a = "prophetkv", .b = "random"}) ==
        "ruler/niah_single_1 was run over several data; choose with --where 'data=generated' (there are: generated; "
        "q.jsonl sha256:1)");
  CHECK(compare_strategies(data, {.a = "prophetkv", .b = "random", .where = {{"data", "generated"}}}).rows.size() == 6);
}

TEST_CASE("--where chooses what is compared, also by whether a boundary cuts the evidence") {
  const Filled store;
  const TableData data = load_table_data({store.path});
  const auto vt = compare_strategies(data, {.a = "prophetkv", .b = "random", .where = {{"task", "ruler/vt"}}});
  REQUIRE(vt.rows.size() == 2);
  CHECK(vt.rows[0].task == "ruler/vt");
  CHECK(vt.notes == std::vector<std::string>{"only task = ruler/vt"});
  CHECK(error_of(data, {.a = "prophetkv", .b = "random", .where = {{"task", "ruler/vx"}}}) ==
        "--where task=ruler/vx: no cell has it; did you mean 'ruler/vt'?");
  {
    Store open = Store::open(store.path, Store::Mode::write);
    open.database().execute("UPDATE samples SET evidence = '[[5,7]]' WHERE position % 3 = 0");
  }
  TableData split = load_table_data({store.path});
  split_by_evidence(split, {store.path});
  const auto cut = compare_strategies(split, {.a = "full", .b = "prophetkv", .where = {{"evidence", "cut"}}});
  REQUIRE(cut.rows.size() == 6);
  CHECK(cut.rows[0].comparison.difference.n == 10);
  CHECK(cut.rows[0].chunker.find("evidence cut") != std::string::npos);
}
