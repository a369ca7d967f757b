// Budgets that take in every row that can change are warned of: they say nothing about a strategy.
#include <algorithm>

#include "catch.h"
#include "experiment/table/coverage.h"
#include "graded.h"

using namespace kvmend;

namespace {

/// As selectors choose: rows behind the exact ones first, as many as the ratio gives. Of 10, with a prefix of 2 and two chunks of
/// 4, that takes in all that can change from 80 % on, and from 40 % where the first chunk stands behind the prefix.
ResultRecord budgeted_result(const CellRecord& cell, int position) {
  ResultRecord r = graded_result(cell, position);
  if (!cell.ratio) return r;
  const int exact = cell.params.find("sink")->as_string() == "shared_prefix" ? 6 : 2;
  r.outcome.selected.clear();
  for (int i = 0; i < static_cast<int>(*cell.ratio * 10 + 1e-9); ++i) {
    r.outcome.selected.push_back((exact + i) % 10);
    r.outcome.exact_selected += (exact + i) % 10 < exact;
  }
  std::sort(r.outcome.selected.begin(), r.outcome.selected.end());
  return r;
}

std::string config_of(const std::string& strategies, const std::string& tasks = "ruler/vt: {samples: 4}") {
  return "name: x\nmodel: m\ntasks: [" + tasks + "]\nstrategies: [full, no_context, " + strategies +
         "]\nratios: [0.2, 0.4, 0.8]\n";
}

/// The one line that a table has of it; "" without.
std::string warning_of(const std::string& config, const SyntheticResult& result = budgeted_result,
                       const TableQuery& query = {}) {
  const Filled store(config, 4, result);
  std::string found;
  for (const std::string& warning : store.table(query).warnings) {
    if (warning.find("by construction") == std::string::npos) continue;
    CHECK(found.empty());
    found = warning;
  }
  return found;
}

}  // namespace

TEST_CASE("a table says in one line which budgets take in every token that can change") {
  CHECK(warning_of(config_of("random, prophetkv")) ==
        "random, prophetkv at 80 % on ruler/vt recompute every token that is not exact: they equal full prefill by "
        "construction");
  CHECK(warning_of(config_of("epic")) ==
        "epic at 80 % on ruler/vt recomputes every token that is not exact: it equals full prefill by construction");
  CHECK(warning_of(config_of("epic, prophetkv: {sink: shared_prefix, as: behind}",
                             "ruler/vt: {samples: 4}, ruler/fwe: {samples: 4}")) ==
        "behind at 40 % on ruler/vt, ruler/fwe; epic, behind at 80 % on ruler/vt, ruler/fwe recompute every token "
        "that is not exact: they equal full prefill by construction");
  CHECK(warning_of(config_of("prophetkv: {sink: shared_prefix, as: behind}")) ==
        "behind at 40 %, 80 % on ruler/vt recomputes every token that is not exact: it equals full prefill by "
        "construction");
  CHECK(warning_of(config_of("epic"), budgeted_result, {{"strategy"}, {"ratio"}, {}, {{"ratio", "0.2"}}}).empty());
}

TEST_CASE("a chunker is named where there are several") {
  const std::string config = config_of("epic") + "chunker: [{fixed: 64}, {fixed: 128}]\n";
  CHECK(warning_of(config,
                   [](const CellRecord& cell, int position) {
                     ResultRecord r = budgeted_result(cell, position);
                     if (cell.chunker.find("fixed")->as_int() == 64)
                       r.outcome.selected.resize(r.outcome.selected.size() / 2);
                     return r;
                   }) ==
        "epic at 80 % on ruler/vt (chunker fixed: 128) recomputes every token that is not exact: it equals full "
        "prefill by construction");
}

TEST_CASE("what does not equal full prefill for all that is recomputed is not said to") {
  const auto but = [](const std::function<void(ResultRecord&, int)>& change) {
    return [change](const CellRecord& cell, int position) {
      ResultRecord r = budgeted_result(cell, position);
      if (cell.ratio) change(r, position);
      return r;
    };
  };
  // Not on every sample; rows were dropped; chunks were moved.
  CHECK(warning_of(config_of("epic"), but([](ResultRecord& r, int position) {
                     if (position == 2) r.outcome.selected.erase(r.outcome.selected.begin());
                   }))
            .empty());
  CHECK(warning_of(config_of("samkv"), but([](ResultRecord& r, int) { r.outcome.kept = r.outcome.selected; })).empty());
  CHECK(warning_of(config_of("infoflow_reorder"), but([](ResultRecord& r, int) { r.outcome.order = {1, 0}; })).empty());
  for (const char* option : {"mask: bottom_right", "freshness: last_token", "write_back: fusion", "temperature: 0.9"}) {
    CAPTURE(option);
    CHECK(warning_of(config_of(std::string("epic: {") + option + "}")).empty());
  }
}
