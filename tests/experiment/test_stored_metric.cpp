// One metric a cell: what is stored by another is scored again, or refused.
#include "experiment/store/stored_metric.h"

#include "catch.h"
#include "core/error.h"
#include "experiment/store/merge.h"
#include "experiment/table/table.h"
#include "synthetic.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

/// Right, wordy or wrong: exact_match tells the first two apart, string_match_all does not.
ResultRecord wordy_result(const CellRecord& cell, int position) {
  ResultRecord r = synthetic_result(cell, position);
  r.prediction = position % 4 == 0 ? "right" : position % 4 == 1 ? "it is right" : "wrong";
  r.score = position % 4 < 2 ? 1 : 0;
  if (cell.strategy == "prophetkv" && position == 3) r.outcome.error = "the worker died";
  return r;
}

std::filesystem::path shard(const TempFolder& folder, const std::string& name, int begin, int end) {
  Store store = Store::open(folder / name, Store::Mode::write);
  fill_store(store, synthetic_config, begin, end, wordy_result);
  return folder / name;
}

/// The metric asked for by the prompts of a task.
std::map<std::string, std::string> by_prompts(Store& store, const std::string& task, const std::string& metric) {
  std::map<std::string, std::string> out;
  for (const CellRecord& cell : store.cells()) {
    if (cell.task == task) out[cell.prompts] = metric;
  }
  return out;
}

std::vector<MetricChange> adopt(const std::filesystem::path& path, const std::string& task, const std::string& metric) {
  Store store = Store::open(path, Store::Mode::write);
  return adopt_metrics(store, by_prompts(store, task, metric));
}

/// Of all results of a task: metric, mean score, failed ones.
std::string summary(const std::filesystem::path& path, const std::string& task) {
  return Store::open(path, Store::Mode::read)
      .database()
      .text(
          "SELECT group_concat(DISTINCT s.metric) || ' ' || avg(r.score) || ' ' || count(*) || ' ' || "
          "sum(r.score IS NULL) FROM results r JOIN samples s USING (sample) JOIN cells c USING (cell) WHERE task = '" +
          task + "'");
}

}  // namespace

TEST_CASE("stored results go over to another metric with their samples, and back") {
  const TempFolder folder;
  const auto path = shard(folder, "a.kvmend", 0, 4);
  const std::string before = summary(path, "ruler/vt"), other = summary(path, "ruler/niah_single_1");
  CHECK(adopt(path, "ruler/vt", "string_match_all").empty());
  const auto changes = adopt(path, "ruler/vt", "exact_match");
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].task == "ruler/vt");
  CHECK(changes[0].from == "string_match_all");
  CHECK(changes[0].to == "exact_match");
  CHECK(changes[0].results == 4 * 8 - 2);  // two failed, and stay so
  // Every cell has 4 samples; position 3 of prophetkv at both ratios has no score.
  CHECK_THAT(summary(path, "ruler/vt"), Catch::StartsWith("exact_match 0.2666") && Catch::EndsWith(" 32 2"));
  CHECK(summary(path, "ruler/niah_single_1") == other);
  CHECK(rescore(path).changed == 0);
  adopt(path, "ruler/vt", "string_match_all");
  CHECK(summary(path, "ruler/vt") == before);
  // All of it or nothing.
  CHECK_THROWS_WITH(adopt(path, "ruler/vt", "exact_mtach"), Contains("did you mean 'exact_match'?"));
  CHECK(summary(path, "ruler/vt") == before);
}

TEST_CASE("a store that an older kvmend left with two metrics in one cell goes over to one") {
  const TempFolder folder;
  const auto path = shard(folder, "a.kvmend", 0, 4);
  Store::open(path, Store::Mode::write)
      .database()
      .execute(
          "UPDATE samples SET metric = 'f1' WHERE position = 1; UPDATE results SET score = 0.5 WHERE status = 'ok'");
  const auto changes = adopt(path, "ruler/vt", "exact_match");
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].from == "f1");
  CHECK(changes[0].results == 8);
  CHECK(changes[1].results == 3 * 8 - 2);
  CHECK_THAT(summary(path, "ruler/vt"), Catch::StartsWith("exact_match 0.2666"));
}

TEST_CASE("two metrics do not meet in one cell: not by a merge, nor in a table, nor by what is put into a store") {
  const TempFolder folder;
  const auto a = shard(folder, "a.kvmend", 0, 2), b = shard(folder, "b.kvmend", 2, 4), out = folder / "out.kvmend";
  adopt(b, "ruler/vt", "f1");
  const std::string refused = "ruler/vt is scored by string_match_all in " + a.string() + " and by f1 in " +
                              b.string() + "; `kvmend run CONFIG -o STORE`";
  for (const bool mixed : {false, true})
    CHECK_THROWS_WITH(merge_stores(out, {a, b}, {.mixed = mixed}), Contains(refused));
  CHECK_FALSE(std::filesystem::exists(out));
  CHECK_THROWS_WITH(load_table_data({a, b}), Contains(refused));
  CHECK(load_table_data({a, b}, "", "substring").cells.size() > 0);
  {
    Store store = Store::open(b, Store::Mode::write);
    CHECK_THROWS_WITH(fill_store(store, synthetic_config, 2, 3),
                      Contains("is scored by f1, what is to be added by string_match_all"));
  }
  adopt(a, "ruler/vt", "f1");
  CHECK(merge_stores(out, {a, b}).missing.empty());
  CHECK(rescore(out).changed == 0);
}
