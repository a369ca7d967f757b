#include "experiment/store/merge.h"

#include <algorithm>

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
  CHECK(report.missing.size() == 2);  // a line a task, however many cells lack the same
  CHECK_THAT(report.missing.front(), Contains("lacks 1 of 4 samples in ") && Contains(" cells: full, "));
}

TEST_CASE("merged results keep the run that computed them, and runs stay as they were") {
  const TempFolder folder;
  const auto a = shard(folder, "a.kvmend", 0, 2);
  {
    Store store = Store::open(a, Store::Mode::write);
    const auto later = fill_store(store, synthetic_config, 2, 4, synthetic_result, "another build");
    store.end_run(later.run, "interrupted");
  }
  const auto runs_of = [](const std::filesystem::path& path) {
    std::map<std::string, std::string> out;  // by uuid
    Store store = Store::open(path, Store::Mode::read);
    Statement results = store.database().prepare(
        "SELECT count(*), min(position), max(position) FROM results r "
        "JOIN samples USING (sample) WHERE r.run = ?");
    for (const RunRecord& run : store.runs()) {
      REQUIRE(results.bind(run.id).step());
      out[run.uuid] = fmt::format("{} {} {} {:.6f}: {} results of {} to {}", run.build, run.status, run.started,
                                  run.finished, results.integer(0), results.integer(1), results.integer(2));
    }
    return out;
  };
  const auto theirs = runs_of(a);
  REQUIRE(theirs.size() == 2);
  merge_stores(folder / "out.kvmend", {a});
  CHECK(runs_of(folder / "out.kvmend") == theirs);
  merge_stores(folder / "out.kvmend", {a, a});
  CHECK(runs_of(folder / "out.kvmend") == theirs);
  const auto builds = load_table_data({folder / "out.kvmend"}).builds;
  CHECK(builds == load_table_data({a}).builds);
  CHECK(builds.size() == 2);
  // Copied while it was running, a run is brought up to date once it has ended.
  { Store::open(a, Store::Mode::write).database().execute("UPDATE runs SET status = 'running', finished = NULL"); }
  merge_stores(folder / "early.kvmend", {a});
  for (const auto& [uuid, run] : runs_of(folder / "early.kvmend")) CHECK_THAT(run, Contains(" running "));
  { Store::open(a, Store::Mode::write).database().execute("UPDATE runs SET status = 'done', finished = 2000000"); }
  merge_stores(folder / "early.kvmend", {a});
  for (const auto& [uuid, run] : runs_of(folder / "early.kvmend")) CHECK_THAT(run, Contains(" done 1000000 2000000"));
}

TEST_CASE("a merge names the shards that are missing or did not end") {
  const TempFolder folder;
  const auto one = shard(folder, "1.kvmend", 0, 1), two = shard(folder, "2.kvmend", 1, 2);
  const auto call = [](const std::filesystem::path& path, const std::string& name, const std::string& status) {
    Store::open(path, Store::Mode::write)
        .database()
        .execute("UPDATE runs SET models = json_set(models, '$.shard', '" + name + "'), status = '" + status + "'");
  };
  call(one, "1/4", "done");
  call(two, "2/4", "interrupted");
  const MergeReport report = merge_stores(folder / "out.kvmend", {one, two});
  REQUIRE(report.missing.size() > 3);
  CHECK(report.missing[0] == "shard 2/4 of synthetic: its run did not end (interrupted)");
  CHECK(report.missing[1] == "shard 3/4 of synthetic: none of the stores is of it");
  CHECK(report.missing[2] == "shard 4/4 of synthetic: none of the stores is of it");
  CHECK_THAT(report.missing[3], Contains("lacks 2 of 4 samples"));
  // With all results there, by whatever runs, nothing is missing.
  CHECK(merge_stores(folder / "out.kvmend", {shard(folder, "rest.kvmend", 2, 4)}).missing.empty());
}

TEST_CASE("where nobody stored how many samples all are, a merge says so") {
  const TempFolder folder;
  const auto path = shard(folder, "1.kvmend", 0, 2);
  Store::open(path, Store::Mode::write)
      .database()
      .execute("UPDATE run_cells SET samples = -1 WHERE cell IN (SELECT cell FROM cells WHERE task = 'ruler/vt')");
  const MergeReport report = merge_stores(folder / "out.kvmend", {path});
  CHECK(std::count_if(report.missing.begin(), report.missing.end(), [](const std::string& line) {
          return line.starts_with("ruler/vt: unknown; an older kvmend did not store how many samples");
        }) == 1);
}

TEST_CASE("rescore gives every prediction its score again, in one transaction") {
  const TempFolder folder;
  const auto path = shard(folder, "1.kvmend", 0, 4);
  const auto right = predictions(path);
  CHECK(rescore(path).changed == 0);
  Store::open(path, Store::Mode::write).database().execute("UPDATE results SET score = 1 - score WHERE result % 3 = 0");
  CHECK(predictions(path) != right);
  const RescoreReport report = rescore(path);
  CHECK(report.results == static_cast<std::int64_t>(right.size() * 4 / 3));  // tables average two seeds: 8 cells are 6
  CHECK(report.changed == report.results / 3);
  CHECK(predictions(path) == right);
  // A sample that cannot be scored: nothing is changed.
  Store::open(path, Store::Mode::write)
      .database()
      .execute("UPDATE results SET score = 0.5; UPDATE samples SET metric = 'none' WHERE position = 3");
  const auto damaged = predictions(path);
  CHECK_THROWS_WITH(rescore(path), Contains("none"));
  CHECK(predictions(path) == damaged);
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

TEST_CASE("a merged store can go without a task's texts, and is gone on with all the same") {
  const TempFolder folder;
  const auto a = shard(folder, "1.kvmend", 0, 2), b = shard(folder, "2.kvmend", 2, 4), out = folder / "out.kvmend";
  MergeOptions options;
  options.redact = {"ruler/vtt"};
  CHECK_THROWS_WITH(merge_stores(out, {a}, options), Contains("'ruler/vtt'") && Contains("ruler/vt"));
  CHECK_FALSE(std::filesystem::exists(out));
  options.redact = {"ruler/vt"};
  merge_stores(out, {a}, options);
  {
    Store from = Store::open(a, Store::Mode::read), to = Store::open(out, Store::Mode::read);
    int redacted = 0;
    for (const SampleRow& row : to.samples()) {
      const SampleRecord sample = to.sample(row.id);
      for (const SampleRow& other : from.samples()) {
        const SampleRecord original = from.sample(other.id);
        if (original.prompts != sample.prompts || original.position != sample.position) continue;
        CHECK(sample.text.size() == original.text.size());
        CHECK(sample.tokens.begin == original.tokens.begin);
        if (sample.text == original.text) continue;
        ++redacted;
        CHECK(sample.text.find_first_not_of("_ \n") == std::string::npos);
        CHECK(std::count(sample.tokens.ids.begin(), sample.tokens.ids.end(), 0) ==
              static_cast<std::ptrdiff_t>(sample.tokens.ids.size()));
        CHECK(sample.references == original.references);
      }
    }
    CHECK(redacted == 2);
  }
  // The same samples with their texts come to a store that has them without: they are the same samples.
  CHECK(merge_stores(out, {a, b}).missing.empty());
  CHECK(rescore(out).changed == 0);
}
