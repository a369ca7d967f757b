// Means over different tasks under one heading are said to be.
#include "catch.h"
#include "experiment/table/table.h"
#include "graded.h"

using namespace kvmend;

namespace {

/// The warning about tasks, or nothing.
std::string said(const Table& table) {
  std::string out;
  for (const std::string& warning : table.warnings) {
    if (warning.find("means over different tasks") != std::string::npos) out += warning;
  }
  return out;
}

std::string config(const std::string& tasks, const std::string& strategies) {
  return "name: x\nmodel: m\ntasks: [" + tasks + "]\nstrategies: [" + strategies + "]\nratios: [0.2, 0.5]\n";
}

}  // namespace

TEST_CASE("a mean over fewer tasks than others is said, in one line for all that lack the same") {
  const Filled store(
      config("ruler/vt: {samples: 4}, ruler/niah_single_1: {samples: 4}, ruler/niah_single_2: {samples: 4}",
             "full, epic"),
      4);
  CHECK(said(store.table()).empty());
  {
    Store more = Store::open(store.path, Store::Mode::write);
    fill_store(more, config("ruler/vt: {samples: 4}, ruler/niah_single_1: {samples: 4}", "prophetkv"), 0, 4,
               graded_result);
    fill_store(more, config("ruler/vt: {samples: 4}", "no_context"), 0, 4, graded_result);
  }
  CHECK(said(store.table()) ==
        "means over different tasks do not compare: no_context is over 1 of 3 tasks (without ruler/niah_single_1, "
        "ruler/niah_single_2); prophetkv at 20 %, prophetkv at 50 % are over 2 of 3 tasks (without "
        "ruler/niah_single_2); choose tasks with --where, or see them apart with --cols task");
  // Apart, or with the tasks that all have, there is nothing to say.
  CHECK(said(store.table({{"strategy"}, {"ratio", "task"}, {"score"}, {}})).empty());
  CHECK(said(store.table({{"strategy"}, {"ratio"}, {"score"}, {{"task", "ruler/vt"}}})).empty());
  // A group has its own tasks.
  const std::string groups = said(store.table({{"strategy"}, {"group"}, {"score"}, {{"ratio", "0.2"}}}));
  CHECK_THAT(groups, Catch::Contains("prophetkv (ruler/niah), prophetkv (ruler/niah_single) are over 1 of 2 tasks "
                                     "(without ruler/niah_single_2)"));
  CHECK_THAT(groups,
             Catch::Contains("no_context (ruler/all) is over 1 of 3") && !Catch::Contains("no_context (ruler/niah"));
}

TEST_CASE("a task whose samples all failed is in no mean, and lengths each have their tasks") {
  const Filled failing(config("ruler/vt: {samples: 4}, ruler/niah_single_1: {samples: 4}", "full, epic"), 4,
                       [](const CellRecord& cell, int position) {
                         ResultRecord r = graded_result(cell, position);
                         if (cell.task == "ruler/vt" && cell.strategy == "epic" && *cell.ratio == 0.5)
                           r.outcome.error = "out of memory";
                         return r;
                       });
  CHECK_THAT(said(failing.table()), Catch::Contains("epic at 50 % is over 1 of 2 tasks (without ruler/vt)"));
  const Filled lengths(config("ruler/vt: {length: [2048, 4096], samples: 4}", "full, epic"), 4);
  CHECK(said(lengths.table({{"length"}, {"strategy", "ratio"}, {"score"}, {}})).empty());
}
