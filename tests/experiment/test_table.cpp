#include "experiment/table/table.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "experiment/table/format.h"
#include "graded.h"

using namespace kvmend;

TEST_CASE("the default table: scores with intervals, then what they cost") {
  const Filled store;
  const Table table = store.table();
  check_golden("table_default.txt", table_as_text(table, 80));
  check_golden("table_narrow.txt", table_as_text(table, 44));
  check_golden("table_default.md", table_as_markdown(table));
  check_golden("table_default.tex", table_as_latex(table));
  check_golden("table_default.csv", without_params(table_as_csv(table)));
  check_golden("table_default.json", without_params(table_as_json(table)));
}

TEST_CASE("every figure carries its interval; text drops those of costs where the width forces it") {
  const Filled store(synthetic_config, 30, [](const CellRecord& cell, int position) {
    ResultRecord r = graded_result(cell, position);
    r.outcome.flops_ratio += 0.01 * (position % 5);
    r.outcome.effective_ratio *= 1 + 0.2 * (position % 2);
    r.outcome.seconds.select *= 1 + position % 3;
    return r;
  });
  const Table table = store.table();
  REQUIRE(table.blocks.size() == 4);
  const auto count = [](const std::string& text, const std::string& part) {
    int n = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
    return n;
  };
  CHECK(count(table_as_text(table, 100), "[95 % interval]") == 4);
  CHECK(count(table_as_markdown(table), "[95 % interval]") == 4);
  CHECK(count(table_as_latex(table), "[95\\,\\% interval]") == 4);
  CHECK_THAT(table_as_latex(table), Catch::Contains("prophetkv &  & 32.0\\,{\\scriptsize[3"));
  // Narrow: scores keep theirs and go on below, effective ratios fit, FLOPs and TTFT lose theirs and keep their decimals.
  const std::string narrow = table_as_text(table, 44);
  CHECK(count(narrow, "[95 % interval]") == 2);
  CHECK_THAT(narrow, Catch::Contains("prophetkv   │       │  32.0 │  62.0"));
}

TEST_CASE("JSON has the documented fields") {
  const Filled store;
  const auto json = nlohmann::json::parse(format_table(store.table(), "json", 80));
  REQUIRE(json.is_array());
  for (const auto& object : json) {
    CHECK(object.size() == 14);
    for (const char* field : {"strategy", "params", "ratio", "task", "model", "chunker", "value", "n", "mean", "lo",
                              "hi", "effective_ratio", "flops_ratio", "distinguishable"}) {
      CHECK(object.contains(field));
    }
  }
  CHECK(json[0]["strategy"] == "full");
  CHECK(json[0]["ratio"].is_null());
  CHECK(json[0]["task"].is_null());  // averaged
  CHECK(json[0]["mean"].get<double>() <= 1);
}

TEST_CASE("a group's mean is the mean of its tasks' means") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 10}, ruler/niah_single_1: {samples: 10}]\nstrategies: [full]\n",
      10, [](const CellRecord& cell, int position) {
        ResultRecord r = synthetic_result(cell, position);
        r.score = cell.task == "ruler/vt" ? 1 : 0;
        // One task has fewer samples, and weighs the same.
        if (cell.task == "ruler/vt" && position >= 2) r.outcome.error = "failed";
        return r;
      });
  const TableEntry e = entry(store.table({{"strategy"}, {"ratio"}, {"score"}, {}}), "score", "full", "");
  CHECK(e.estimate.value == 0.5);
  CHECK(e.estimate.n == 12);
  CHECK_FALSE(e.task);
}

TEST_CASE("seeds are averaged sample by sample before anything else") {
  const Filled store("name: x\nmodel: m\ntasks: [ruler/vt]\nstrategies: [random: {seed: [1, 2]}]\nratios: [0.1]\n", 40,
                     scored_by([](const CellRecord& cell, int position) {
                       // The seeds contradict each other on every sample.
                       return (position + cell.params.find("seed")->as_int()) % 2 ? 1 : 0;
                     }));
  const Table table = store.table({{"strategy"}, {"ratio"}, {"score", "n"}, {}});
  CHECK(table.rows == std::vector<std::vector<std::string>>{{"random"}});
  const TableEntry& e = entry(table, "score", "random", "0.1");
  CHECK(e.estimate.value == 0.5);
  CHECK(e.estimate.n == 40);
  CHECK_FALSE(e.estimate.interval);  // 0.5 on each sample: no spread at all
  CHECK(entry(table, "n", "random", "0.1").estimate.value == 40);
}

TEST_CASE("stored predictions can be scored by another metric") {
  const Filled store("name: x\nmodel: m\ntasks: [ruler/vt]\nstrategies: [full, epic]\nratios: [0.2]\n", 8,
                     [](const CellRecord& cell, int position) {
                       ResultRecord r = synthetic_result(cell, position);
                       r.prediction = position % 4 == 0 ? "right" : position % 4 == 1 ? "quite right" : "wrong";
                       r.score = 0.25;
                       return r;
                     });
  CHECK(entry(store.table(), "score", "epic", "0.2").estimate.value == 0.25);
  const auto by = [&](const char* metric) {
    const TableData data = load_table_data({store.path}, "", metric);
    return entry(make_table(data, {}), "score", "epic", "0.2").estimate.value;
  };
  CHECK(by("exact_match") == 0.25);
  CHECK(by("substring") == 0.5);
  CHECK(by("f1") == Approx((1 + 2.0 / 3) / 4));
  CHECK_THROWS_WITH(by("f2"), "unknown metric 'f2'; did you mean 'f1'?");
  const Table table = make_table(load_table_data({store.path}, "", "f1"), {});
  CHECK(table.constant.back() == std::pair<std::string, std::string>("metric", "f1"));
}

TEST_CASE("samples whose evidence a boundary cuts are told from whole ones where it is asked") {
  TempFolder folder;
  const auto path = folder / "a.kvmend";
  {
    Store store = Store::open(path, Store::Mode::write);
    fill_store(store, "name: x\nmodel: m\ntasks: [ruler/vt]\nstrategies: [full, no_context, epic]\nratios: [0.2]\n", 0,
               40);
    // Units are [0, 2), [2, 6), [6, 10).
    store.database().execute(
        "UPDATE samples SET evidence = CASE position % 4 WHEN 0 THEN '[[2,6],[7,9]]' WHEN 1 THEN '[[5,7]]' "
        "WHEN 2 THEN '[[3,4],[1,3]]' ELSE '[]' END");
  }
  TableData data = load_table_data({path});
  CHECK(make_table(data, {}).row_dimensions == std::vector<std::string>{"strategy"});
  split_by_evidence(data, {path});
  const Table table = make_table(data, {{"strategy"}, {"evidence"}, {"n", "score", "pgr"}, {}});
  CHECK(table.cols == std::vector<std::vector<std::string>>{{""}, {"cut"}, {"whole"}});
  CHECK(entry(table, "n", "epic", "cut").estimate.value == 20);
  CHECK(entry(table, "n", "epic", "whole").estimate.value == 10);
  CHECK(entry(table, "n", "epic", "").estimate.value == 10);
  CHECK(entry(table, "score", "epic", "whole").estimate.value == 1);
  CHECK(entry(table, "score", "epic", "cut").estimate.value == 0.5);
  CHECK_FALSE(warns(table, "incomplete"));
  CHECK_FALSE(warns(table, "different numbers"));
  // Unless it is asked for in rows or columns, it goes to the rows: nothing is mixed.
  CHECK(make_table(data, {}).row_dimensions == std::vector<std::string>{"strategy", "evidence"});
  CHECK(make_table(data, {{"strategy"}, {"ratio"}, {"n"}, {{"evidence", "cut"}}}).rows.size() == 3);
}

TEST_CASE("times are medians, relative ones sample by sample against full") {
  const Filled store(synthetic_config, 9, [](const CellRecord& cell, int position) {
    ResultRecord r = synthetic_result(cell, position);
    const double full = 1.0 + position;  // prompts of very different length
    r.outcome.seconds = {};
    r.outcome.seconds.recompute = cell.strategy == "full" ? full : 0.25 * full;
    if (position == 0 && cell.strategy != "full") r.outcome.seconds.select = 100;  // one outlier
    r.shared_timing = false;
    return r;
  });
  const Table table = store.table({{"strategy"}, {"ratio"}, {"ttft_ratio", "ttft", "select"}, {}});
  CHECK(entry(table, "ttft_ratio", "prophetkv", "0.2").estimate.value == Approx(0.25));
  CHECK(entry(table, "ttft", "full", "").estimate.value == 5);
  CHECK(entry(table, "select", "prophetkv", "0.2").estimate.value == 0);
  CHECK_FALSE(warns(table, "times were read off a sweep"));
  CHECK(warns(Filled().table({{"strategy"}, {"ratio"}, {"ttft"}, {}}), "times were read off a sweep"));
  CHECK_FALSE(warns(Filled().table({{"strategy"}, {"ratio"}, {"score"}, {}}), "times were read off a sweep"));
}

TEST_CASE("several stores make one table; what both hold counts once") {
  const Filled a(synthetic_config, 4), b(synthetic_config, 6);
  const auto other =
      "name: o\nmodel: other\ntasks: [ruler/vt: {samples: 4}]\nstrategies: [full, prophetkv]\nratios: [0.2]\n";
  const Filled c(other, 4);
  const Table same = make_table(load_table_data({a.path, b.path}), {});
  CHECK(entry(same, "score", "full", "").estimate.n == 12);
  const Table models =
      make_table(load_table_data({a.path, c.path}), {{"strategy"}, {"ratio"}, {"score"}, {{"task", "ruler/vt"}}});
  CHECK(models.row_dimensions == std::vector<std::string>{"strategy", "model"});
}

TEST_CASE("a figure over one sample has no interval") {
  const Filled store(synthetic_config, 1);
  const Table table = store.table({{"strategy", "task"}, {"ratio"}, {"score"}, {}});
  CHECK_FALSE(entry(table, "score", "full", "").estimate.interval);
  CHECK_THAT(table_as_text(table, 80), Catch::Contains("[–]"));
}

TEST_CASE("100,000 results make a table of means, gaps and marks in under a second", "[.slow]") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {length: [1024, 2048, 4096, 8192], samples: 500}]\n"
      "strategies: [full, no_context, reuse, epic, cacheblend, prophetkv, kvshare, a3, lego2, infoflow]\n"
      "ratios: [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]\n",
      500, scored_by([](const CellRecord& cell, int position) {
        return (static_cast<unsigned>(position) * 2654435761U + cell.label.size()) % 7 < 3 ? 1 : 0;
      }));
  const TableData data = load_table_data({store.path});
  std::size_t results = 0;
  for (const auto& cell : data.cells) results += cell.observations.size();
  CHECK(results >= 100'000);
  const auto begin = std::chrono::steady_clock::now();
  make_table(data, {{"strategy"}, {"ratio"}, {"score", "pgr"}, {}});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  WARN(fmt::format("{} results in {:.2f} s", results, seconds));
  CHECK(seconds < 1);
}
