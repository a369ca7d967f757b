// Overlap, recall and crowding-out count the rows that a selector can choose, and do not depend on what a store kept.
#include <algorithm>
#include <numeric>

#include "catch.h"
#include "experiment/report/sample_view.h"
#include "experiment/table/table.h"
#include "graded.h"

using namespace kvmend;

namespace {

/// As selectors do: the best of the rows from `exact` on, then those before it.
std::vector<int> best(const std::vector<float>& scores, int exact, int k) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    if ((a < exact) != (b < exact)) return a >= exact;
    return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
  });
  order.resize(static_cast<std::size_t>(k));
  std::sort(order.begin(), order.end());
  return order;
}

/// The query's attention: most of it is on the prefix, 0 and 1; float16 takes 3, 7 and 8 for equal.
const std::vector<float> attention{0.8F, 0.15F, 0.001F, 0.01F, 0, 0.002F, 0.003F, 0.0100001F, 0.0100002F, 0.004F};

/// Every strategy chooses as the oracle does, epic the first tokens behind the prefix.
SyntheticResult attending(bool stores_scores, float sink = 0.8F) {
  return [=](const CellRecord& cell, int position) {
    ResultRecord r = synthetic_result(cell, position);
    if (!cell.ratio) return r;
    std::vector<float> scores = attention;
    scores[0] = sink;
    const bool behind_prefix = cell.params.find("sink")->as_string() == "shared_prefix";
    const int k = static_cast<int>(*cell.ratio * 10 + 1e-9);
    if (cell.strategy == "epic") scores.assign(10, 0);
    r.outcome.selected = best(scores, behind_prefix ? 6 : 2, k);
    if (cell.strategy == "oracle_attention" && stores_scores) r.outcome.scores = scores;
    return r;
  };
}

Table table_of(const std::string& strategies, const SyntheticResult& result) {
  const Filled store("name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}]\nstrategies: [" + strategies +
                         "]\nratios: [0.1, 0.2, 0.4, 0.9]\n",
                     3, result);
  return make_table(load_table_data({store.path}, "oracle_attention"),
                    {{"strategy"}, {"ratio"}, {"overlap", "recall", "crowding_out"}, {}});
}

}  // namespace

TEST_CASE("an oracle overlaps with itself wholly, with and without its scores in the store") {
  for (const bool scores : {false, true}) {
    for (const char* strategies : {"epic, oracle_attention", "epic, oracle_attention: {sink: shared_prefix}"}) {
      CAPTURE(scores, strategies);
      const Table table = table_of(strategies, attending(scores));
      const std::string oracle = table.rows.back().front();
      for (const char* ratio :
           {"0.1", "0.2", "0.4", "0.9"}) {  // at 90 % exact rows are taken because no others are left
        CAPTURE(ratio);
        CHECK(entry(table, "overlap", oracle, ratio).estimate.value == 1);
        CHECK(entry(table, "recall", oracle, ratio).estimate.value == 1);
      }
    }
  }
  // Others' figures are the same as well.
  const Table with = table_of("epic, oracle_attention", attending(true)),
              without = table_of("epic, oracle_attention", attending(false));
  for (const char* ratio : {"0.1", "0.2", "0.4", "0.9"}) {
    CHECK(entry(with, "overlap", "epic", ratio).estimate.value ==
          entry(without, "overlap", "epic", ratio).estimate.value);
    CHECK(entry(with, "recall", "epic", ratio).estimate.value ==
          entry(without, "recall", "epic", ratio).estimate.value);
  }
  CHECK(entry(with, "recall", "epic", "0.4").estimate.value == Approx(1.0 / 4));  // 3 of 3, 7, 8, 9
}

TEST_CASE("a sink in the prefix does not change what is crowded out, whatever its share of the attention") {
  const std::string strategies = "epic, oracle_attention";
  const Table with = table_of(strategies, attending(true)), without = table_of(strategies, attending(true, 0));
  for (const char* ratio : {"0.1", "0.2", "0.4"}) {
    CHECK(entry(with, "crowding_out", "epic", ratio).estimate.value ==
          entry(without, "crowding_out", "epic", ratio).estimate.value);
  }
  // 3, 6, 7, 8 and 9 hold nine tenths: of epic's 2 to 5 it is 3 that the query attends to.
  CHECK(entry(with, "crowding_out", "epic", "0.4").estimate.value == Approx(3.0 / 4));
  CHECK(entry(with, "crowding_out", "oracle_attention", "0.4").estimate.value == 0);
}

TEST_CASE("what show says of a sample leaves exact rows out as well") {
  const TempFolder folder;
  Store store = Store::open(folder / "s.kvmend", Store::Mode::write);
  fill_store(
      store,
      "name: s\nmodel: m\ntasks: [ruler/vt: {samples: 1}]\nstrategies: [epic, oracle_attention]\nratios: [0.4]\n", 0, 1,
      attending(true));
  const SelectionOverlap overlap = selection_overlap(load_sample_view(store, "vt-42-0"), 0.4);
  REQUIRE(overlap.names == std::vector<std::string>{"epic", "oracle_attention"});
  CHECK(overlap.crowding_out[0] == Approx(3.0 / 4));
  CHECK(overlap.crowding_out[1] == 0);
}

TEST_CASE("of several variants of an oracle the store's first answers") {
  const Table table =
      table_of("oracle_attention, {oracle_attention: {sink: shared_prefix, as: behind}}, epic", attending(false));
  CHECK(entry(table, "overlap", "oracle_attention", "0.4").estimate.value == 1);
  CHECK(entry(table, "overlap", "behind", "0.4").estimate.value < 1);
}
