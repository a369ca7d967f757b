// Rows for other tools, and what they say of a strategy beside its figures.
#include "experiment/store/export.h"

#include <nlohmann/json.hpp>

#include "catch.h"
#include "graded.h"

using namespace kvmend;
using Catch::Matchers::Contains;
using Json = nlohmann::json;

namespace {

const StrategyInfo& info_of(const std::string& name) {
  static const std::vector<StrategyInfo> all = list_strategies();
  return *std::find_if(all.begin(), all.end(), [&](const StrategyInfo& info) { return info.name == name; });
}

std::vector<Json> rows_of(Store& store) {
  std::vector<Json> rows;
  export_jsonl(store, [&](const std::string& line) { rows.push_back(Json::parse(line)); });
  return rows;
}

std::vector<std::string> csv_of(Store& store) {
  std::vector<std::string> lines;
  export_csv(store, [&](const std::string& line) { lines.push_back(line); });
  return lines;
}

const std::string two_strategies =
    "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 2}]\nstrategies: [epic, prophetkv]\nratios: [0.5]\n";

}  // namespace

TEST_CASE("every strategy says how sure its details are") {
  for (const StrategyInfo& info : list_strategies()) {
    if (info.name.starts_with("test_")) continue;  // a test's own
    INFO(info.name << ": " << info.labels);
    const auto says = [&](const char* label) { return info.labels.find(label) != std::string::npos; };
    const bool labelled = says("[P]") || says("[C]") || says("[2]") || says("[O]") || says("exact");
    CHECK(labelled);
  }
}

TEST_CASE("a run's record has the labels of its strategies and of a composition's parts; a cell's key has none") {
  const Config config = parse_config(
      "model: m\ntasks: [ruler/vt]\nratios: [0.1]\n"
      "strategies: [full, epic: {k: [2, 4]}, combine: {scores: [prophetkv], pinned: {link0: {}}, sink: none}]\n",
      "c.yaml");
  const Value strategies = describe_strategies(config);
  CHECK(strategies.as_map().size() == 5);
  for (const char* name : {"full", "epic", "combine", "prophetkv", "link0"}) {
    INFO(name);
    const Value* entry = strategies.find(name);
    REQUIRE(entry);
    CHECK(entry->find("labels")->as_string() == info_of(name).labels);
    CHECK(entry->find("source")->as_string() == info_of(name).source);
    CHECK(entry->find("version")->as_int() == info_of(name).version);
  }
  // Other words for the same computation: what is stored stays valid.
  Config reworded = config;
  for (StrategyVariant& variant : reworded.strategies) {
    Strategy copy = *variant.strategy;
    copy.info.labels = "[O] all of it";
    variant.strategy = std::make_shared<const Strategy>(std::move(copy));
  }
  for (const Cell& cell : make_grid(config)) {
    const std::string key = make_cell_record(config, cell, synthetic_identity(config)).key;
    CHECK(make_cell_record(reworded, cell, synthetic_identity(config)).key == key);
  }
}

TEST_CASE("exported rows have the labels of the version that ran") {
  const Filled filled(two_strategies, 2);
  Store store = Store::open(filled.path, Store::Mode::write);
  const auto labels = [&] {
    std::vector<std::string> out;
    for (const Json& row : rows_of(store)) out.push_back(row["labels"]);
    return out;
  };
  const std::string epic = info_of("epic").labels, prophetkv = info_of("prophetkv").labels;
  CHECK(labels() == std::vector<std::string>{epic, epic, prophetkv, prophetkv});
  CHECK_THAT(csv_of(store)[0], Contains(",prediction,labels,"));
  CHECK_THAT(csv_of(store)[1], Contains(epic));
  // A record's words count, not this program's; a store from before there were any has this program's.
  store.database().execute(
      "UPDATE runs SET models = '{\"strategies\": {\"epic\": {\"version\": 1, \"labels\": \"[P]\"}}}'");
  CHECK(labels() == std::vector<std::string>{"[P]", "[P]", prophetkv, prophetkv});
  store.database().execute("UPDATE runs SET models = '{}'");
  CHECK(labels() == std::vector<std::string>{epic, epic, prophetkv, prophetkv});
  // Of a version that nobody describes nothing is said.
  store.database().execute(
      "UPDATE cells SET params = '{\"strategy\": \"epic\", \"version\": 0}' WHERE strategy = 'epic'");
  CHECK(labels() == std::vector<std::string>{"", "", prophetkv, prophetkv});
}

TEST_CASE("CSV has what a strategy kept and saved, where there is something to say, and the task's parameters") {
  const Filled filled(two_strategies, 1, [](const CellRecord& cell, int position) {
    ResultRecord r = synthetic_result(cell, position);
    if (cell.strategy == "epic") r.outcome.kept = {0, 1, 2, 9};  // of 10
    return r;
  });
  Store store = Store::open(filled.path, Store::Mode::write);
  auto rows = rows_of(store);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0]["kept_fraction"] == 0.4);
  CHECK(rows[0]["memory_saved_bytes"] == 6 << 20);
  CHECK_FALSE(rows[1].contains("kept_fraction"));
  const std::string task = ",\"" + store.cells().front().task_params.flow() + "\"";
  CHECK_THAT(task, Contains("length: "));
  CHECK_THAT(csv_of(store)[0], Catch::EndsWith(",kept_fraction,memory_saved_bytes,task_params"));
  CHECK_THAT(csv_of(store)[1], Catch::EndsWith(",0.4,6291456" + task));
  CHECK_THAT(csv_of(store)[2], Catch::EndsWith(",1,0" + task));
  store.database().execute("UPDATE runs SET models = '{}'");  // a store that does not know what a token takes
  rows = rows_of(store);
  CHECK(rows[0]["kept_fraction"] == 0.4);
  CHECK_FALSE(rows[0].contains("memory_saved_bytes"));
  CHECK_THAT(csv_of(store)[1], Catch::EndsWith(",0.4," + task));
  CHECK_THAT(csv_of(store)[2], Catch::EndsWith(",1,0" + task));
}
