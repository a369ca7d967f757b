// The table of the report's page.
#include <nlohmann/json.hpp>

#include "catch.h"
#include "experiment/report/parts.h"
#include "graded.h"
#include "opened_page.h"
#include "tools.h"

using namespace kvmend;
using Catch::Matchers::Contains;

TEST_CASE("each selector's overlap and recall stand beside its score, for every oracle that the stores have") {
  // Of 10 tokens the prefix, 0 and 1, is exact. The oracles take 2 to 5 and 4 to 7, epic 2, 3, 4 and 9.
  const auto choosing = [](const CellRecord& cell, int position) {
    ResultRecord r = synthetic_result(cell, position);
    if (cell.strategy == "oracle_attention") r.outcome.selected = {2, 3, 4, 5};
    if (cell.strategy == "oracle_kv") r.outcome.selected = {4, 5, 6, 7};
    if (cell.strategy == "epic") r.outcome.selected = {2, 3, 4, 9};
    return r;
  };
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}, ruler/fwe: {samples: 3}]\nstrategies: [full, epic, "
      "oracle_attention, oracle_kv]\nratios: [0.4]\n",
      3, choosing);
  ReportQuery query;
  query.plots = false;
  const TableData data = load_table_data({store.path});
  const auto oracles = against_oracles({store.path}, data, query);
  REQUIRE(oracles.size() == 2);
  std::vector<std::string> warnings;
  int rows = 0;
  for (const auto& row : report_rows(data, oracles, query, warnings)) {
    REQUIRE(row.size() == 15);
    if (row[0] == "full") {
      CHECK(row[11].is_null());  // it selects everything
    } else if (row[0] == "epic") {
      ++rows;
      CHECK(row[11][0].get<double>() == Approx(3.0 / 5));
      CHECK(row[12][0].get<double>() == Approx(3.0 / 4));
      CHECK(row[13][0].get<double>() == Approx(1.0 / 7));
      CHECK(row[14][0].get<double>() == Approx(1.0 / 4));
    } else if (row[0] == "oracle_kv") {
      CHECK(row[13][0] == 1);
    }
  }
  CHECK(rows == 3);  // over both tasks, and on each
  for (const std::string& warning : warnings) CHECK_THAT(warning, !Contains("oracle"));
  const std::string html = make_report({store.path}, query).html;
  CHECK_THAT(html, Contains("\"oracles\":[\"oracle_attention\",\"oracle_kv\"]"));
  CHECK_THAT(html, Contains("overlap (Jaccard), recall: of the selection with each oracle's"));

  const Filled without(synthetic_config, 2);
  const TableData plain = load_table_data({without.path});
  CHECK(report_rows(plain, against_oracles({without.path}, plain, query), query, warnings)[0].size() == 11);
  const std::string bare = make_report({without.path}, query).html;
  CHECK_THAT(bare, Contains("\"oracles\":[]") && !Contains("overlap (Jaccard)"));
  if (!has_program("chromium")) return;
  const TempFolder folder;
  const Opened page = open_page(folder, html,
                                "document.body.append(element('pre', {id: 'seen'}, JSON.stringify("
                                "[...$('table').tHead.rows[0].cells].map((th) => th.textContent))));");
  CHECK(page.console == "");
  CHECK(page.seen.back() == "kv recall %");
  CHECK(page.seen[page.seen.size() - 4] == "attention overlap %");
}
