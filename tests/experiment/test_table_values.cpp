// What a table computes beyond means: marks, the share of the gap, what was selected.
#include <nlohmann/json.hpp>

#include "catch.h"
#include "experiment/compare/compare.h"
#include "experiment/table/format.h"
#include "experiment/table/table.h"
#include "graded.h"

using namespace kvmend;

TEST_CASE("the best of a column is marked, and what cannot be told from it; references are not in the running") {
  const std::string config =
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 60}]\nstrategies: [full, no_context, reuse, epic, prophetkv, "
      "cacheblend]\nratios: [0.2]\n";
  const auto score = [](const CellRecord& cell, int position) {
    const int right = cell.strategy == "full"         ? 60
                      : cell.strategy == "prophetkv"  ? 50
                      : cell.strategy == "cacheblend" ? 48
                      : cell.strategy == "epic"       ? 20
                                                      : 5;
    return position < right ? 1 : 0;
  };
  const Filled store(config, 60, scored_by(score));
  const Table table = store.table();
  CHECK(entry(table, "score", "full", "").mark == Mark::none);
  CHECK(entry(table, "score", "reuse", "").mark == Mark::none);  // alone in its column
  CHECK(entry(table, "score", "prophetkv", "0.2").mark == Mark::best);
  CHECK(entry(table, "score", "cacheblend", "0.2").mark == Mark::close);
  CHECK(entry(table, "score", "epic", "0.2").mark == Mark::apart);
  CHECK_THAT(table.blocks[0].note, Catch::Contains("Holm over 2 comparisons"));
  for (const auto& object : nlohmann::json::parse(table_as_json(table))) {
    if (object["value"] != "score") continue;
    const std::string strategy = object["strategy"];
    CHECK(object["distinguishable"] == (strategy == "epic"         ? nlohmann::json(true)
                                        : strategy == "cacheblend" ? nlohmann::json(false)
                                                                   : nlohmann::json()));
  }
  TableQuery plain;
  plain.mark = false;
  CHECK(store.table(plain).blocks[0].note.empty());
}

TEST_CASE("only figures that differ in nothing but the strategy compete, wherever they stand") {
  // By task, chunker and ratio the levels are far apart; of two strategies prophetkv is right on more samples.
  const std::string config =
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 60}, ruler/niah_single_1: {samples: 60}]\n"
      "chunker: [{fixed: 64}, {fixed: 128}]\nstrategies: [full, epic, prophetkv]\nratios: [0.2, 0.5]\n";
  const auto score = [](const CellRecord& cell, int position) {
    const bool small = cell.chunker.find("fixed")->as_int() == 64;
    const int right = cell.strategy == "full" ? 60
                                              : (cell.strategy == "prophetkv" ? 21 : 1) + (small ? 5 : 0) +
                                                    (cell.task == "ruler/vt" ? 20 : 0) + (*cell.ratio == 0.5 ? 10 : 0);
    return position < right ? 1 : 0;
  };
  const Filled store(config, 60, scored_by(score));
  const auto block = [&](const TableQuery& query) {
    const Table table = store.table(query);
    for (const auto& row : table.blocks[0].entries) {
      for (const auto& entry : row) {
        if (!entry) continue;
        CHECK(entry->mark == (entry->strategy == "prophetkv" ? Mark::best
                              : entry->strategy == "epic"    ? Mark::apart
                                                             : Mark::none));
      }
    }
    return table.blocks[0];
  };
  const TableQuery rows{{"task", "strategy", "chunker", "ratio"}, {"model"}, {"score"}, {}};
  CHECK_THAT(block(rows).note,
             Catch::Contains("* best of the figures that differ from it in the strategy only; ~ not") &&
                 Catch::Contains("Holm over 8 comparisons"));
  const TableQuery across{{"ratio", "chunker", "task"}, {"strategy"}, {"score"}, {}};
  CHECK_THAT(block(across).note, Catch::Contains("* best of its row among the strategies"));
  const TableQuery down{{"strategy"}, {"ratio", "chunker", "task"}, {"score"}, {}};
  CHECK_THAT(block(down).note, Catch::Contains("* best of its column among the strategies"));
  // Ratios, chunkers and tasks of one strategy: nothing competes.
  const Table one = store.table({{"ratio", "chunker"}, {"task"}, {"score"}, {{"strategy", "epic"}}});
  CHECK(one.blocks[0].note.empty());
  for (const auto& row : one.blocks[0].entries) {
    for (const auto& entry : row) CHECK(entry->mark == Mark::none);
  }
}

TEST_CASE("the share of the gap that is kept, or why there is none") {
  const Filled store;
  const Table table = store.table({{"strategy"}, {"ratio"}, {"score", "pgr", "score_solved"}, {}});
  const double full = entry(table, "score", "full", "").estimate.value;
  const double none = entry(table, "score", "no_context", "").estimate.value;
  const double method = entry(table, "score", "prophetkv", "0.5").estimate.value;
  CHECK(entry(table, "pgr", "prophetkv", "0.5").estimate.value == Approx((method - none) / (full - none)));
  CHECK(entry(table, "pgr", "prophetkv", "0.5").estimate.interval);
  CHECK(entry(table, "pgr", "full", "").estimate.value == 1);
  CHECK(entry(table, "score_solved", "full", "").estimate.value == 1);
  CHECK(entry(table, "score_solved", "prophetkv", "0.5").estimate.n < 60);
  const auto pgr = [](const Filled& filled) { return filled.table({{"strategy"}, {"ratio"}, {"pgr"}, {}}); };
  const Filled flat(synthetic_config, 30, synthetic_result);  // full is as good as no_context
  CHECK(warns(pgr(flat), "no pgr: full − no_context is +0.0 (["));
  const Filled bare("name: x\nmodel: m\ntasks: [ruler/vt: {samples: 4}]\nstrategies: [full, epic]\nratios: [0.2]\n", 4);
  CHECK(warns(pgr(bare), "pgr needs full and no_context"));
}

TEST_CASE("what was selected is compared with an oracle's scores or selection") {
  // 10 context tokens; the evidence is 3 and 4. Selections: the first ⌊10 r⌋ tokens.
  const std::string config =
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}]\nstrategies: [full, epic, prophetkv]\nratios: [0.4]\n";
  const auto result = [](bool scores) {
    return [scores](const CellRecord& cell, int position) {
      ResultRecord r = synthetic_result(cell, position);
      if (cell.strategy != "prophetkv") return r;
      r.outcome.selected = {2, 3, 4, 5};
      if (scores) r.outcome.scores = {0, 0.01F, 0, 8, 4, 0.02F, 0, 0, 0, 0};
      return r;
    };
  };
  const auto table_of = [&](bool scores, const std::string& oracle) {
    const Filled store(config, 3, result(scores));
    return make_table(load_table_data({store.path}, oracle),
                      {{"strategy"}, {"ratio"}, {"overlap", "recall", "crowding_out", "evidence"}, {}});
  };
  // Its four are 2 to 5; 3 and 4 hold 90 %. Of epic's, 0 to 3, the prefix 0 and 1 does not count.
  const Table by_scores = table_of(true, "prophetkv");
  CHECK(entry(by_scores, "overlap", "epic", "0.4").estimate.value == Approx(2.0 / 4));
  CHECK(entry(by_scores, "recall", "epic", "0.4").estimate.value == Approx(2.0 / 4));
  CHECK(entry(by_scores, "crowding_out", "epic", "0.4").estimate.value == Approx(1.0 / 2));
  CHECK(entry(by_scores, "evidence", "epic", "0.4").estimate.value == Approx(1.0 / 2));
  CHECK(entry(by_scores, "evidence", "prophetkv", "0.4").estimate.value == Approx(1));
  // The same scores of an oracle that puts the second chunk before the first.
  const Filled reordered(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}]\nstrategies: [epic, infoflow_reorder]\nratios: [0.4]\n", 3,
      [](const CellRecord& cell, int position) {
        ResultRecord r = synthetic_result(cell, position);
        if (cell.strategy == "epic") return r;
        r.outcome.order = {1, 0};
        r.outcome.scores = {0, 0.01F, 0, 0, 0, 0, 0, 8, 4, 0.02F};
        r.outcome.selected_original = {3, 4, 5};  // one fewer than epic: its scores count
        return r;
      });
  const Table by_reordered = make_table(load_table_data({reordered.path}, "infoflow_reorder"),
                                        {{"strategy"}, {"ratio"}, {"recall", "crowding_out"}, {}});
  CHECK(entry(by_reordered, "recall", "epic", "0.4").estimate.value == Approx(2.0 / 4));
  CHECK(entry(by_reordered, "crowding_out", "epic", "0.4").estimate.value == Approx(1.0 / 2));
  const Table by_selection = table_of(false, "prophetkv");
  CHECK(entry(by_selection, "overlap", "epic", "0.4").estimate.value == Approx(2.0 / 4));
  CHECK(entry(by_selection, "recall", "epic", "0.4").estimate.value == Approx(2.0 / 4));
  CHECK(warns(by_selection, "crowding_out has nothing to show"));
  CHECK(warns(
      table_of(true, "oracle_attention"),
      "overlap has nothing to show: it needs oracle_attention's cells over the same prompts (add oracle_attention to "
      "strategies; --oracle names another)"));
}

TEST_CASE("what was kept of the context, and the memory that saved") {
  const std::string config =
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}]\nstrategies: [full, samkv]\nratios: [0.4]\n";
  const Filled store(config, 3, [](const CellRecord& cell, int position) {
    ResultRecord r = synthetic_result(cell, position);
    if (cell.strategy == "samkv") {
      r.outcome.kept.emplace();
      for (int i = 0; i < 3 + position; ++i) r.outcome.kept->push_back(i);  // 3, 4 and 5 of 10
    }
    return r;
  });
  const TableQuery query{{"strategy"}, {"ratio"}, {"kept", "memory_saved"}, {}};
  const Table table = store.table(query);
  CHECK(entry(table, "kept", "samkv", "0.4").estimate.value == Approx(0.4));
  CHECK(entry(table, "kept", "full", "").estimate.value == 1);
  CHECK(entry(table, "memory_saved", "samkv", "0.4").estimate.value == Approx(6 << 20));
  CHECK(entry(table, "memory_saved", "full", "").estimate.value == 0);
  CHECK(entry(table, "memory_saved", "full", "").estimate.n == 3);
  const std::string text = table_as_text(table, 120);
  CHECK_THAT(text, Catch::Contains("context rows kept in the cache, %") && Catch::Contains("40.0 ["));
  CHECK_THAT(text, Catch::Contains("KV cache saved by dropped rows, MiB a prompt") && Catch::Contains("6.0 ["));
  CHECK_THAT(table_as_json(table), Catch::Contains("\"value\": \"memory_saved\", \"n\": 3, \"mean\": 6291456"));
  // Where no run noted what a token takes, nothing is invented.
  Store::open(store.path, Store::Mode::write).database().execute("UPDATE runs SET models = '{}'");
  const Table unknown = store.table(query);
  CHECK(entry(unknown, "kept", "samkv", "0.4").estimate.value == Approx(0.4));
  for (const auto& row : unknown.blocks[1].entries) {
    for (const auto& one : row) CHECK((!one || one->strategy == "full"));
  }
}

TEST_CASE("what is recomputed behind the first token, and what was spent on rows that are exact already") {
  const std::string config =
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}]\nstrategies: [full, kvshare, random: {seed: [1, 2]}]\n"
      "ratios: [0.4]\n";
  const Filled store(config, 3, [](const CellRecord& cell, int position) {
    ResultRecord r = synthetic_result(cell, position);
    if (cell.strategy == "kvshare") r.outcome.decode_flops = 1e9 * (1 + position);
    if (cell.strategy == "kvshare") r.outcome.exact_selected = 2;  // of a context of 10
    if (cell.strategy == "random") r.outcome.exact_selected = cell.params.find("seed")->as_int();
    return r;
  });
  const Table table = store.table({{"strategy"}, {"ratio"}, {"decode_flops", "exact_selected", "flops"}, {}});
  CHECK(entry(table, "decode_flops", "kvshare", "0.4").estimate.value == Approx(2e9));
  CHECK(entry(table, "decode_flops", "full", "").estimate.value == 0);
  CHECK(entry(table, "flops", "kvshare", "0.4").estimate.value == Approx(0.5e9));  // without it
  CHECK(entry(table, "exact_selected", "kvshare", "0.4").estimate.value == Approx(0.2));
  CHECK(entry(table, "exact_selected", "random", "0.4").estimate.value == Approx(0.15));  // the seeds' mean
  const std::string text = table_as_text(table, 120);
  CHECK_THAT(text, Catch::Contains("FLOPs of recomputing while decoding") && Catch::Contains("2.00e+09 ["));
  CHECK_THAT(text, Catch::Contains("context rows selected that were exact already, %") && Catch::Contains("20.0"));
}

TEST_CASE("an approximation is called one below every table that shows it, labels with the same note in one line") {
  const std::string config =
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 4}]\nratios: [0.4]\n"
      "strategies: [full, no_context, epic, kvshare, {kvshare: {as: KVS, decode_interval: 4}}, samkv]\n";
  const Filled store(config, 4);
  const Table table = store.table();
  REQUIRE(table.notes.size() == 3);
  const std::string note = "kvshare, KVS: approximation; no formula of arXiv 2503.16525 is public";
  const std::string sam = "samkv: SamKV-style; ";
  CHECK_THAT(table_as_text(table, 120), Catch::Contains("\n\n" + note + "\n" + sam));
  CHECK_THAT(table_as_markdown(table), Catch::Contains("\n\n" + note + "\n\n" + sam));
  CHECK_THAT(table_as_latex(table),
             Catch::Contains("\\footnotesize " + note + "\\par}\n") && Catch::Contains("\\footnotesize " + sam));
  TableQuery others;
  others.where = {{"strategy", "epic"}};
  CHECK(store.table(others).notes.empty());
  CHECK_THAT(table_as_text(store.table(others), 120), !Catch::Contains("approximation"));

  const TableData data = load_table_data({store.path});
  CHECK_THAT(format_comparison(compare_strategies(data, {.a = "KVS", .b = "epic"}), "text"),
             Catch::Contains("KVS: approximation; ") && !Catch::Contains("SamKV-style"));
  // A composition has its part's, and what a run noted counts.
  Store::open(store.path, Store::Mode::write)
      .database()
      .execute(
          "UPDATE runs SET models = '{\"strategies\": {\"epic\": {\"version\": 1, \"note\": \"a sketch; why\"}}}'");
  CHECK(store.table(others).notes[0].second == "a sketch; why");
  const Filled composed(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 1}]\nratios: [0.4]\n"
      "strategies: [combine: {scores: [kvshare], pinned: epic}]\n",
      1);
  const Table of_parts = composed.table();
  REQUIRE(of_parts.notes.size() == 1);
  CHECK_THAT(of_parts.notes[0].second, Catch::StartsWith("kvshare: approximation; "));
}
