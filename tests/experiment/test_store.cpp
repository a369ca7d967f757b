#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "experiment/run/run_scope.h"
#include "experiment/store/export.h"
#include "experiment/store/store.h"
#include "synthetic.h"

using namespace kvmend;

TEST_CASE("a run that an exception ends is stored as failed, one that ends by itself as it says") {
  TempFolder folder;
  Store store = Store::open(folder / "a.kvmend", Store::Mode::write);
  const auto failing = [&] {
    RunScope run(store, {});
    CHECK(store.runs().back().status == "running");
    throw Error(ErrorKind::data, "the disk is full");
  };
  CHECK_THROWS_WITH(failing(), "the disk is full");
  {
    RunScope run(store, {});
    run.end("interrupted");
  }
  const auto runs = store.runs();
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].status == "failed");
  CHECK(runs[0].finished > 0);
  CHECK(runs[1].status == "interrupted");
}

TEST_CASE("what a run puts into a store comes back") {
  TempFolder folder;
  SyntheticRun run;
  const auto path = folder / "new/folder/a.kvmend";
  {
    Store store = Store::open(path, Store::Mode::write);
    run = fill_store(store, synthetic_config, 0, 3, [](const CellRecord& cell, int position) {
      ResultRecord r = synthetic_result(cell, position);
      r.outcome.scores = {0.5F, 0.25F, 3};
      r.outcome.selected = {1, 9};
      r.outcome.selected_per_layer = {{0, 1, 9}, {1, 9}};
      r.outcome.kept = {0, 1, 2, 9};
      r.outcome.selected_query = {1};
      r.prediction = "caf\xc3 \n\"";
      if (cell.strategy == "prophetkv" && position == 1) {
        r.outcome = {};
        r.outcome.error = "the worker died";
      }
      return r;
    });
  }
  CHECK(std::distance(std::filesystem::directory_iterator(path.parent_path()), {}) == 1);  // one file, closed
  Store store = Store::open(path, Store::Mode::read);
  const auto runs = store.runs();
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].config == synthetic_config);
  CHECK(runs[0].canonical.find("model")->as_string() == "tiny");
  CHECK(runs[0].status == "done");
  CHECK(runs[0].uuid.size() == 32);
  CHECK(runs[0].finished > runs[0].started);

  const auto cells = store.cells();
  REQUIRE(cells.size() == run.cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    CHECK(cells[i].key == run.cells[i].key);
    CHECK(cells[i].canonical.canonical() == run.cells[i].canonical.canonical());
    CHECK(cells[i].ratio == run.cells[i].ratio);
    CHECK(cells[i].series == run.cells[i].series);
    CHECK(cells[i].samples == 4);
  }
  CHECK(store.samples().size() == 6);
  const auto found = store.find_samples("niah_single_1-42-2");
  REQUIRE(found.size() == 1);
  CHECK(store.find_samples("vt-42-0").size() == 1);
  CHECK(store.find_samples("-42-0").size() == 2);
  CHECK(store.find_samples("nothing").empty());

  const SampleRecord expected = synthetic_sample(cells[0], 2);
  const SampleRecord sample = store.sample(found[0].id);
  CHECK(sample.text == expected.text);
  CHECK(sample.references == expected.references);
  CHECK(sample.tokens.ids == expected.tokens.ids);
  CHECK(sample.tokens.end == expected.tokens.end);
  CHECK(sample.evidence == expected.evidence);
  CHECK(sample.units.size() == 3);
  CHECK(sample.units[0].kind == UnitKind::prefix);
  CHECK(sample.stop == expected.stop);

  const ResultRecord result = store.result(store.result_ids_of_sample(found[0].id)[1]);
  CHECK(result.outcome.selected == std::vector<int>{1, 9});
  CHECK(result.outcome.selected_per_layer == std::vector<std::vector<int>>{{0, 1, 9}, {1, 9}});
  CHECK(result.outcome.kept == std::vector<int>{0, 1, 2, 9});
  CHECK(result.outcome.selected_query == std::vector<int>{1});
  CHECK(result.outcome.scores == std::vector<float>{0.5F, 0.25F, 3});
  CHECK(result.outcome.prediction_ids == std::vector<std::int32_t>{7, 8});
  CHECK(result.outcome.seconds.place == 0.001);
  CHECK(result.outcome.decode_seconds == 0.02);
  CHECK(result.prediction == "caf\xc3 \n\"");

  int failed = 0;
  for (const auto& row : store.results()) {
    if (!row.failed) continue;
    ++failed;
    CHECK(row.error == "the worker died");
    CHECK(std::isnan(row.score));
  }
  CHECK(failed == 2 * 2);
  CHECK(store.database().integer("SELECT count(*) FROM failures") == 4);
  CHECK(store.database().integer("SELECT count(*) FROM everything") == 6 * 8);
  CHECK(store.database().integer("SELECT n FROM means WHERE strategy = 'prophetkv' LIMIT 1") == 2);
}

TEST_CASE("exported rows tell two lengths of a task apart by its parameters") {
  const TempFolder folder;
  Store store = Store::open(folder / "a.kvmend", Store::Mode::write);
  fill_store(store, "name: x\nmodel: m\ntasks: [ruler/vt: {length: [2048, 4096]}]\nstrategies: [full]\n", 0, 1);
  std::set<int> lengths;
  export_jsonl(store, [&](const std::string& line) {
    lengths.insert(nlohmann::json::parse(line).at("task_params").at("length").get<int>());
  });
  CHECK(lengths == std::set<int>{2048, 4096});
}

TEST_CASE("what is missing is computed from the keys: resuming and extending") {
  TempFolder folder;
  Store store = Store::open(folder / "a.kvmend", Store::Mode::write);
  const SyntheticRun run = fill_store(store, synthetic_config, 0, 2);
  std::vector<std::string> keys;
  for (const auto& cell : run.cells) {
    if (cell.prompts == run.cells[0].prompts) keys.push_back(cell.key);
  }
  CHECK(store.missing(keys, 2).empty());
  const auto more = store.missing(keys, 5);
  REQUIRE(more.size() == 3);
  CHECK(more[0].position == 2);
  CHECK(more[0].cells.size() == keys.size());
  keys.emplace_back("a new strategy's key");
  const auto added = store.missing(keys, 2);
  REQUIRE(added.size() == 2);
  CHECK(added[0].cells == std::vector<std::size_t>{keys.size() - 1});
  CHECK(store.missing(keys, 0).empty());

  // A failed result counts as there, unless it is to be tried again.
  ResultRecord failure = synthetic_result(run.cells[0], 0);
  failure.outcome.error = "out of memory";
  store.put_sample(run.run, synthetic_sample(run.cells[0], 0), std::vector{failure});
  keys.pop_back();
  CHECK(store.missing(keys, 2).empty());
  REQUIRE(store.missing(keys, 2, true).size() == 1);
  CHECK(store.missing(keys, 2, true)[0].cells == std::vector<std::size_t>{0});
  const auto before = store.results().size();
  store.put_sample(run.run, synthetic_sample(run.cells[0], 0), std::vector{synthetic_result(run.cells[0], 0)});
  CHECK(store.results().size() == before);
  CHECK(store.missing(keys, 2, true).empty());
}

TEST_CASE("a sample whose prompt changed under the same key is refused, nothing is stored") {
  TempFolder folder;
  Store store = Store::open(folder / "a.kvmend", Store::Mode::write);
  const SyntheticRun run = fill_store(store, synthetic_config, 0, 1);
  SampleRecord other = synthetic_sample(run.cells[0], 0);
  other.prompt_hash = "another";
  ResultRecord result = synthetic_result(run.cells[0], 0);
  result.prediction = "overwritten";
  CHECK_THROWS_WITH(store.put_sample(run.run, other, std::vector{result}),
                    Catch::Contains("stored with another prompt"));
  CHECK(store.database().integer("SELECT count(*) FROM results WHERE prediction = 'overwritten'") == 0);
  result.cell = "no such cell";
  SampleRecord fresh = synthetic_sample(run.cells[0], 7);
  CHECK_THROWS_AS(store.put_sample(run.run, fresh, std::vector{result}), Error);
  CHECK(store.find_samples(fresh.id).empty());
}

TEST_CASE("one writer, whose process the second one is told; readers read while it writes") {
  for (const bool network : {false, true}) {
    CAPTURE(network);
    TempFolder folder;
    const auto path = folder / "a.kvmend";
    const StoreOptions options{network};
    auto writer = std::make_unique<Store>(Store::open(path, Store::Mode::write, options));
    const SyntheticRun run = fill_store(*writer, synthetic_config, 0, 1);
    try {
      Store::open(path, Store::Mode::write, options);
      FAIL("a second writer was let in");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      CHECK_THAT(error.what(),
                 Catch::Contains(path.string()) && Catch::Contains(fmt::format("process {} on ", ::getpid())));
    }
    Store reader = Store::open(path, Store::Mode::read, options);
    CHECK(reader.samples().size() == 2);
    writer->put_sample(run.run, synthetic_sample(run.cells[0], 1), std::vector{synthetic_result(run.cells[0], 1)});
    CHECK(Store::open(path, Store::Mode::read, options).samples().size() == 3);
    CHECK_THROWS_AS(reader.begin_run({}), Error);
    writer.reset();
    CHECK(Store::open(path, Store::Mode::write, options).samples().size() == 3);
  }
}

namespace {

/// Runs `body` in a child process that ends by SIGKILL.
template <class F>
void in_killed_child(F&& body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      body();
    } catch (...) {
    }
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("kill -9 loses at most the sample in flight, and the lock") {
  for (const bool network : {false, true}) {
    CAPTURE(network);
    TempFolder folder;
    const auto path = folder / "a.kvmend";
    in_killed_child([&] {
      Store store = Store::open(path, Store::Mode::write, {network});
      const SyntheticRun run = fill_store(store, synthetic_config, 0, 2);
      Transaction in_flight(store.database());
      store.database().execute("DELETE FROM results");
      store.database().execute("PRAGMA cache_spill = 1");
      ::kill(::getpid(), SIGKILL);
    });
    {
      Store reader = Store::open(path, Store::Mode::read, {network});
      CHECK(reader.results().size() == 4 * 8);
    }
    Store store = Store::open(path, Store::Mode::write, {network});
    CHECK(store.results().size() == 4 * 8);
    CHECK(store.database().text("PRAGMA integrity_check") == "ok");
  }
}

TEST_CASE("a writer on a local file system keeps a write-ahead log, on a network's it does not") {
  TempFolder folder;
  Store local = Store::open(folder / "l.kvmend", Store::Mode::write, {false});
  CHECK(local.database().text("PRAGMA journal_mode") == "wal");
  Store network = Store::open(folder / "n.kvmend", Store::Mode::write, {true});
  CHECK(network.database().text("PRAGMA journal_mode") == "truncate");
  CHECK(network.database().text("PRAGMA locking_mode") == "exclusive");
  CHECK_FALSE(is_network_filesystem("/dev/shm/no/such/folder"));
}
