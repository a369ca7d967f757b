#include "experiment/merge.h"

#include "catch.h"
#include "core/error.h"
#include "graded.h"
#include "synthetic.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

std::filesystem::path shard(const TempFolder& folder, const std::string& name, int begin, int end,
                            const std::string& config = synthetic_config) {
  Store store = Store::open(folder / name, Store::Mode::write);
  fill_store(store, config, begin, end);
  return folder / name;
}

/// The synthetic config with one text in another's place.
std::string with(const std::string& old, const std::string& fresh) {
  std::string out = synthetic_config;
  return out.replace(out.find(old), old.size(), fresh);
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

TEST_CASE("stores of different sweeps are refused with what differs, and merged where that is wanted") {
  const TempFolder folder;
  const auto one = shard(folder, "1.kvmend", 0, 2);
  const auto refused = [&](const std::string& name, const std::string& config, const std::string& words) {
    const auto other = shard(folder, name, 2, 4, config);
    CHECK_THROWS_WITH(merge_stores(folder / "out.kvmend", {one, other}),
                      Contains("are not of one sweep: " + words) && Contains("--mixed"));
    CHECK_FALSE(std::filesystem::exists(folder / "out.kvmend"));
  };
  refused("ratios.kvmend", with("[0.2, 0.5]", "[0.2, 0.4]"), "ratios.1 is 0.5 in the first and 0.4 in the second");
  refused("model.kvmend", with("model: tiny", "model: other"), "model is tiny in the first and other in the second");
  refused("length.kvmend", with("ruler/vt: {", "ruler/vt: {length: 512, "), "tasks.1.params.length is 4096");
  // The same config over another file of weights.
  const auto weights = shard(folder, "weights.kvmend", 2, 4);
  {
    Store store = Store::open(weights, Store::Mode::write);
    store.database().execute(
        "UPDATE cells SET key = 'x' || key, canonical = replace(canonical, 'weights of tiny', 'weights of another')");
  }
  CHECK_THROWS_WITH(merge_stores(folder / "out.kvmend", {one, weights}),
                    Contains("weights is weights of tiny in the first and weights of another in the second"));
  // More samples, another machine's settings and another order of the files are no other sweep.
  const auto more = shard(folder, "more.kvmend", 2, 6,
                          with("niah_single_1: {samples: 4}", "niah_single_1: {samples: 6}") + "threads: 3\n");
  CHECK(merge_stores(folder / "ok.kvmend", {more, one}).results > 0);
  CHECK_THROWS_WITH(merge_stores(folder / "ok.kvmend", {folder / "ratios.kvmend"}), Contains("are not of one sweep"));
  const MergeReport mixed = merge_stores(folder / "mixed.kvmend", {one, folder / "ratios.kvmend"}, {.mixed = true});
  CHECK(mixed.added == mixed.results);
}
