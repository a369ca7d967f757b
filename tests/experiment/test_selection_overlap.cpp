#include <cmath>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "experiment/selection_overlap.h"

using namespace kvmend;

TEST_CASE("the overlap of selections, and what of them lies outside what the query attends to") {
  CHECK(common_tokens({1, 3, 5, 9}, {3, 4, 9}) == 2);
  CHECK(jaccard({1, 3, 5, 9}, {3, 4, 9}) == Approx(0.4));
  CHECK(std::isnan(jaccard({}, {})));
  CHECK(jaccard({}, {1}) == 0);

  const std::vector<float> attention{0.05F, 0.5F, 0.0F, 0.35F, 0.1F, -1.0F};
  CHECK(ranking_of(attention) == std::vector<int>{1, 3, 4, 0, 2, 5});
  CHECK(attended_tokens(attention, ranking_of(attention)) == 3);  // 0.5 + 0.35 + 0.1 of 1
  CHECK(crowding_out({1, 3, 4}, attention) == 0);
  CHECK(crowding_out({0, 1, 2, 5}, attention) == Approx(0.75));
  CHECK(std::isnan(crowding_out({}, attention)));
  CHECK(std::isnan(crowding_out({1}, {})));
  // Nothing is attended to: everything is crowded out.
  const std::vector<float> none(4);
  CHECK(crowding_out({2}, none) == 1);
}

TEST_CASE("overlap as text and JSON") {
  const std::vector<float> attention{0.0F, 0.5F, 0.0F, 0.5F};
  const auto overlap = overlap_of({"epic", "prophetkv"}, {{0, 1}, {1, 3}}, attention, "oracle_attention");
  CHECK(
      overlap_text(overlap) ==
      "  Jaccard % crowded   1   2\n"
      "1 epic           50   ·  33\n"
      "2 prophetkv       0  33   ·\n"
      "crowded: % of the selection outside the fewest tokens with 90 % of the query's attention (oracle_attention)\n");
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
