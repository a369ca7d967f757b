// What a table is asked for: rows and columns, groups, --where, and names that do not exist.
#include "catch.h"
#include "core/error.h"
#include "experiment/table/format.h"
#include "experiment/table/table.h"
#include "graded.h"

using namespace kvmend;

namespace {

std::string error_of(const Filled& store, const TableQuery& query) {
  try {
    store.table(query);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("rows and columns are free, and nothing is mixed silently") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {length: [2048, 4096]}]\nchunker: [{fixed: 64}, {fixed: 128}]\n"
      "strategies: [full, test_clip: {aux_model: a, window: [4, 8]}]\nratios: [0.2]\n",
      12, scored_by([](const CellRecord& cell, int) { return cell.chunker.find("fixed")->as_int() == 64 ? 1 : 0.25; }));
  const Table by_window = store.table({{"window"}, {"length"}, {"score"}, {{"strategy", "test_clip"}}});
  CHECK(by_window.row_dimensions == std::vector<std::string>{"window", "chunker"});  // two chunkers are not averaged
  CHECK(by_window.rows.size() == 4);
  CHECK(by_window.cols == std::vector<std::vector<std::string>>{{"2048"}, {"4096"}});
  const Table by_chunker = store.table({{"chunker"}, {"strategy"}, {"score"}, {{"task", "ruler/vt"}}});
  CHECK(by_chunker.row_dimensions == std::vector<std::string>{"chunker"});  // each strategy has one ratio here
  CHECK(entry(by_chunker, "score", "fixed: 64", "full").estimate.value == 1);
  CHECK(entry(by_chunker, "score", "fixed: 128", "full").estimate.value == 0.25);
  const Table one = store.table({{"strategy"}, {"ratio"}, {"score"}, {{"chunker", "fixed: 64"}, {"window", "4"}}});
  CHECK(one.rows.size() == 1);
  CHECK(one.tasks == std::vector<std::string>{"ruler/vt (length: 2048)", "ruler/vt (length: 4096)"});
}

TEST_CASE("groups of tasks are a dimension: each task counts in all of its groups") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 10}, ruler/niah_single_1: {samples: 10}, ruler/niah_single_2: "
      "{samples: 10}]\nstrategies: [full, epic]\nratios: [0.2]\n",
      10, scored_by([](const CellRecord& cell, int) {
        return cell.task == "ruler/vt" ? 0 : cell.task == "ruler/niah_single_1" ? 1 : 0.5;
      }));
  const Table table = store.table({{"strategy"}, {"group"}, {"score"}, {}});
  CHECK(table.cols == std::vector<std::vector<std::string>>{{"ruler/all"}, {"ruler/niah"}, {"ruler/niah_single"}});
  CHECK(entry(table, "score", "epic", "ruler/all").estimate.value == Approx(0.5));
  CHECK(entry(table, "score", "epic", "ruler/niah").estimate.value == Approx(0.75));
  CHECK(entry(table, "score", "epic", "ruler/niah").estimate.n == 20);
  CHECK(entry(table, "score", "epic", "ruler/niah").task == "ruler/niah");
  CHECK(warns(table, "groups whose tasks were not all run: ruler/all over 3 of 13, ruler/niah over 2 of 8"));
  CHECK_THAT(table_as_text(table, 100), Catch::Contains("means of each group's tasks, of 3: ruler/vt"));
  // --where chooses by group with or without the dimension.
  const Table niah = store.table({{"strategy"}, {"ratio"}, {"score"}, {{"group", "ruler/niah"}}});
  CHECK(niah.tasks == std::vector<std::string>{"ruler/niah_single_1", "ruler/niah_single_2"});
  CHECK(store.table({{"group"}, {"strategy"}, {"score"}, {{"group", "ruler/niah"}}}).rows.size() == 1);
  CHECK(error_of(store, {{"strategy"}, {"ratio"}, {}, {{"group", "ruler/nia"}}}) ==
        "--where group=ruler/nia: no cell has it; did you mean 'ruler/niah'?");
}

TEST_CASE("--where keeps the baselines beside a ratio") {
  const Filled store;
  const Table table = store.table({{"strategy"}, {"ratio"}, {"score"}, {{"ratio", "0.20"}}});
  CHECK(table.cols == std::vector<std::vector<std::string>>{{""}, {"0.2"}});
  CHECK(table.rows.size() == 4);
  const Table two = store.table({{"strategy"}, {"ratio"}, {"score"}, {{"strategy", "full"}, {"strategy", "random"}}});
  CHECK(two.rows.size() == 2);
}

TEST_CASE("wrong names are answered with the nearest") {
  const Filled store;
  CHECK(error_of(store, {{"stratgy"}, {"ratio"}, {}, {}}) ==
        "--rows: unknown dimension 'stratgy'; did you mean 'strategy'?");
  CHECK(error_of(store, {{"strategy"}, {"rati"}, {}, {}}) == "--cols: unknown dimension 'rati'; did you mean 'ratio'?");
  CHECK(error_of(store, {{"strategy"}, {"ratio"}, {"scroe"}, {}}) ==
        "--value: unknown value 'scroe'; did you mean 'score'?");
  CHECK(error_of(store, {{"strategy"}, {"ratio"}, {}, {{"strategy", "prophet"}}}) ==
        "--where strategy=prophet: no cell has it; did you mean 'prophetkv'?");
  CHECK(error_of(store, {{"strategy"}, {"ratio"}, {"quality"}, {}}) ==
        "--value: unknown value 'quality'; 'kvmend list values' explains them");
  CHECK_THAT(error_of(store, {{"xyzzy"}, {"ratio"}, {}, {}}),
             Catch::Contains("--rows: unknown dimension 'xyzzy'; known: strategy, ratio, group, task, "));
  CHECK(error_of(store, {{"strategy"}, {"ratio"}, {}, {{"task", "ruler/all"}}}) ==
        "--where task=ruler/all: no cell has it; it is a group: --where group=ruler/all");
  CHECK_THAT(error_of(store, {{"strategy"}, {"ratio"}, {}, {{"ratio", "0.3"}}}),
             Catch::Contains("no cell has it; known: 0.2, 0.5"));
  CHECK_THROWS_WITH(format_table(store.table(), "jsn", 80), Catch::Contains("did you mean 'json'?"));
  TempFolder folder;
  { Store::open(folder / "empty.kvmend", Store::Mode::write); }
  CHECK_THROWS_WITH(make_table(load_table_data({folder / "empty.kvmend"}), {}), "there are no results to show yet");
}
