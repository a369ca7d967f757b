// What a table says of figures that are worth little.
#include "catch.h"
#include "experiment/table/table.h"
#include "graded.h"

using namespace kvmend;

TEST_CASE("a table warns of what makes its figures worthless") {
  SECTION("full near no_context") {
    const Filled idle(synthetic_config, 30, [](const CellRecord& cell, int position) {
      ResultRecord r = graded_result(cell, position);
      if (cell.task == "ruler/vt" && cell.strategy == "no_context") r.score = position % 10 ? 1 : 0;
      return r;
    });
    const Table table = idle.table();
    CHECK(warns(table, "full is not distinguishable from no_context on ruler/vt ("));
    CHECK_FALSE(warns(table, "no_context on ruler/niah_single_1"));
    const Filled never(synthetic_config, 30, [](const CellRecord& cell, int position) {
      ResultRecord r = graded_result(cell, position);
      r.score = 0;
      return r;
    });
    CHECK(warns(never.table(), "full is not distinguishable from no_context on ruler/vt (+0.0"));
    CHECK_FALSE(warns(Filled().table(), "distinguishable"));
  }
  SECTION("failures and missing samples") {
    const Filled failing(synthetic_config, 3, [](const CellRecord& cell, int position) {
      ResultRecord r = graded_result(cell, position);
      if (cell.strategy == "prophetkv" && position > 0 && *cell.ratio == 0.5) r.outcome.error = "out of memory";
      return r;
    });
    const Table table = failing.table();
    CHECK(warns(table, "prophetkv at 0.5 on ruler/vt: 2 samples failed: out of memory"));
    CHECK(warns(table, "lack samples (they have"));
    CHECK(warns(table, "different numbers of samples"));
    CHECK(entry(table, "score", "prophetkv", "0.5").estimate.n == 2);
    CHECK_FALSE(warns(Filled(synthetic_config, 4).table(), "lack samples"));
  }
  SECTION("mixed builds") {
    Filled store(synthetic_config, 2);
    CHECK_FALSE(warns(store.table(), "builds"));
    {
      Store more = Store::open(store.path, Store::Mode::write);
      fill_store(more, synthetic_config, 2, 4, graded_result, "another build");
    }
    CHECK(warns(store.table(), "results of 2 builds are mixed: 0.1.0, another build; 0.1.0, test"));
  }
}

TEST_CASE("a table of a sweep that was cut short says how much is there, and what has not begun") {
  const TempFolder folder;
  const auto path = folder / "cut.kvmend";
  {
    Store store = Store::open(path, Store::Mode::write);
    // One sample of the first task's cells; the second task's eight cells are wanted and have nothing.
    fill_store(store, synthetic_config, 0, 1);
    store.database().execute("DELETE FROM results WHERE cell IN (SELECT cell FROM cells WHERE task = 'ruler/vt')");
  }
  const TableData data = load_table_data({path});
  const auto incomplete = [&](const TableQuery& query) {
    std::string found;
    for (const auto& warning : make_table(data, query).warnings)
      if (warning.starts_with("incomplete")) found = warning;
    return found;
  };
  // Two seeds are one cell here: full, no_context, and random and prophetkv at two ratios; four samples of each.
  CHECK(incomplete({}) ==
        "incomplete: 6 of 48 results: 6 of 6 cells that have begun lack samples (they have 1); not started: full on "
        "ruler/vt, "
        "no_context on ruler/vt, random at 0.2 on ruler/vt, random at 0.5 on ruler/vt, prophetkv at 0.2 on ruler/vt "
        "and 1 "
        "more; run again to go on");
  CHECK(incomplete({{"strategy"}, {"ratio"}, {}, {{"task", "ruler/niah_single_1"}}}) ==
        "incomplete: 6 of 24 results: 6 of 6 cells that have begun lack samples (they have 1); run again to go on");
}
