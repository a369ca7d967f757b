#include "experiment/merge.h"

#include "catch.h"
#include "core/error.h"
#include "graded.h"
#include "synthetic.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

std::filesystem::path shard(const TempFolder& folder, const std::string& name, int begin, int end) {
  Store store = Store::open(folder / name, Store::Mode::write);
  fill_store(store, synthetic_config, begin, end);
  return folder / name;
}

std::map<std::string, std::string> predictions(const std::filesystem::path& path) {
  std::map<std::string, std::string> out;
  for (const TableCell& cell : load_table_data({path}).cells) {
    for (const Observation& o : cell.observations) out[cell.record.key + o.sample] = fmt::format("{}", o.score);
  }
  return out;
}

}  // namespace

TEST_CASE("shards merge in any order, and a shard given twice adds nothing") {
  const TempFolder folder;
  const auto a = shard(folder, "1.kvmend", 0, 2), b = shard(folder, "2.kvmend", 2, 4);
  const MergeReport both = merge_stores(folder / "ab.kvmend", {a, b});
  CHECK(both.missing.empty());
  CHECK(both.added == both.results);
  merge_stores(folder / "ba.kvmend", {b, a, a});
  CHECK(predictions(folder / "ba.kvmend") == predictions(folder / "ab.kvmend"));
  const MergeReport again = merge_stores(folder / "ab.kvmend", {b, a});
  CHECK(again.added == 0);
  CHECK(again.results == both.results);
  CHECK(again.conflicts.empty());
}

TEST_CASE("a merge says what is missing") {
  const TempFolder folder;
  const MergeReport report = merge_stores(folder / "out.kvmend", {shard(folder, "1.kvmend", 0, 3)});
  REQUIRE_FALSE(report.missing.empty());
  CHECK_THAT(report.missing.front(), Contains("lacks 1 of 4 samples"));
}

TEST_CASE("a store of a newer version is refused before anything is written") {
  const TempFolder folder;
  const auto good = shard(folder, "1.kvmend", 0, 2), newer = shard(folder, "2.kvmend", 2, 4);
  { Store::open(newer, Store::Mode::write).database().execute("PRAGMA user_version = 99"); }
  CHECK_THROWS_WITH(merge_stores(folder / "out.kvmend", {good, newer}), Contains("written by a newer kvmend"));
  CHECK_FALSE(std::filesystem::exists(folder / "out.kvmend"));
  CHECK_THROWS_WITH(merge_stores(good, {good}), Contains("cannot be merged into itself"));
}
