#include <cmath>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "experiment/selection/exact_rows.h"
#include "experiment/selection/overlap.h"
#include "experiment/store/records.h"

using namespace kvmend;

TEST_CASE("the overlap of selections, and what of them lies outside what the query attends to") {
  CHECK(common_tokens({1, 3, 5, 9}, {3, 4, 9}) == 2);
  CHECK(jaccard({1, 3, 5, 9}, {3, 4, 9}) == Approx(0.4));
  CHECK(std::isnan(jaccard({}, {})));
  CHECK(jaccard({}, {1}) == 0);

  const std::vector<float> attention{0.05F, 0.5F, 0.0F, 0.35F, 0.1F, -1.0F};
  CHECK(ranking_of(attention) == std::vector<int>{1, 3, 4, 0, 2, 5});
  const ScoreRanking ranking = rank_scores(attention, {});
  CHECK(ranking.tokens == ranking_of(attention));
  CHECK(ranking.attended == std::vector<int>{1, 3, 4});  // 0.5 + 0.35 + 0.1 of 1
  CHECK(crowding_out({1, 3, 4}, ranking) == 0);
  CHECK(crowding_out({0, 1, 2, 5}, ranking) == Approx(0.75));
  CHECK(std::isnan(crowding_out({}, ranking)));
  CHECK(std::isnan(crowding_out({1}, {})));
  // Nothing is attended to: everything is crowded out.
  CHECK(crowding_out({2}, rank_scores(std::vector<float>(4), {})) == 1);
}

TEST_CASE("rows that are exact already count neither as attended to nor as selected") {
  // A sink in the prefix holds 95 % of the attention; without it 4, then 3, are the fewest with nine tenths.
  const std::vector<float> with_sink{0.9F, 0.05F, 0.002F, 0.013F, 0.034F, 0.001F},
      without_sink{0, 0, 0.002F, 0.013F, 0.034F, 0.001F};
  for (const auto* attention : {&with_sink, &without_sink}) {
    const ScoreRanking ranking = rank_scores(*attention, {{0, 2}});
    CHECK(ranking.tokens == std::vector<int>{4, 3, 2, 5});
    CHECK(ranking.attended == std::vector<int>{3, 4});
    CHECK(crowding_out({2, 3}, ranking) == 0.5);
    CHECK(crowding_out({0, 1, 2, 3}, ranking) == 0.5);
    CHECK(std::isnan(crowding_out({0, 1}, ranking)));
  }
  CHECK(outside({0, 1, 2, 5, 6, 9}, {{0, 2}, {6, 10}}) == std::vector<int>{2, 5});
}

TEST_CASE(
    "which rows are exact already: the leading unit, and the chunk that stands behind the prefix and nothing else") {
  const std::vector<Unit> units{{UnitKind::prefix, 0, 2}, {UnitKind::chunk, 2, 6}, {UnitKind::chunk, 6, 10}};
  const std::vector<Unit> bare{{UnitKind::chunk, 0, 4}, {UnitKind::chunk, 4, 10}};
  CommonOptions options;
  CHECK(exact_rows(units, options) == TokenRanges{{0, 2}});
  CHECK(exact_rows(bare, options) == TokenRanges{{0, 4}});
  CHECK(exact_rows({}, options).empty());
  options.sink = SinkKind::shared_prefix;
  CHECK(exact_rows(units, options) == TokenRanges{{0, 2}, {2, 6}});
  CHECK(exact_rows(units, options, std::vector{1, 0}) == TokenRanges{{0, 2}, {6, 10}});  // the new order's first
  CHECK(exact_rows(bare, options) == TokenRanges{{0, 4}});
  CHECK(exact_rows(bare, options, std::vector{1, 0}) == TokenRanges{{4, 10}});
  options.neighbours = 1;
  CHECK(exact_rows(units, options) == TokenRanges{{0, 2}});
  CellRecord cell;
  cell.params.set("strategy", "infoflow");
  cell.params.set("sink", "shared_prefix");
  CHECK(exact_rows(units, stored_options(cell)).size() == 2);
}

TEST_CASE("overlap as text and JSON") {
  const std::vector<float> attention{0.0F, 0.5F, 0.0F, 0.5F};
  const auto overlap =
      overlap_of({"epic", "prophetkv"}, {{0, 1}, {1, 3}}, rank_scores(attention, {}), "oracle_attention");
  CHECK(overlap_text(overlap) ==
        "  Jaccard % crowded   1   2\n"
        "1 epic           50   ·  33\n"
        "2 prophetkv       0  33   ·\n"
        "crowded: % of the selection outside the fewest tokens with 90 % of the query's attention (oracle_attention); "
        "tokens that are exact already don't count\n");
  const auto json = nlohmann::json::parse(overlap_json(overlap));
  CHECK(json["names"] == nlohmann::json({"epic", "prophetkv"}));
  CHECK(json["jaccard"][0][1].get<double>() == Approx(1.0 / 3));
  CHECK(json["jaccard"][1][1] == 1.0);
  CHECK(json["crowding_out"] == nlohmann::json({0.5, 0.0}));
  CHECK(json["reference"] == "oracle_attention");

  const auto unknown = overlap_of({"epic"}, {{0}}, {}, "");
  CHECK(overlap_text(unknown).find("not known; it takes the scores of oracle_attention or prophetkv") !=
        std::string::npos);
  CHECK(nlohmann::json::parse(overlap_json(unknown))["crowding_out"][0].is_null());
}
