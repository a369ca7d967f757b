#include "experiment/compare/against.h"

#include <nlohmann/json.hpp>
#include <regex>

#include "catch.h"
#include "graded.h"
#include "published_paper.h"

using namespace kvmend;

TEST_CASE("our results stand beside a paper's, with a verdict on each claim") {
  const Filled store;
  const Against against = set_against(load_table_data({store.path}), {}, published());
  REQUIRE(against.values.size() == 4);
  CHECK(against.values[0].ours->n == 30);
  CHECK(against.values[1].ours->n == 60);
  CHECK(against.values[1].tasks == 2);
  CHECK(against.values[1].tasks_of > 2);
  CHECK(against.values[2].reason == "no samkv in the store");
  CHECK(against.values[3].reason == "prophetkv was not run at 0.15 (but at 0.2, 0.5)");
  REQUIRE(against.claims.size() == 7);
  CHECK(against.claims[0].verdict == Verdict::reproduced);
  CHECK(against.claims[1].verdict == Verdict::not_reproduced);
  CHECK(against.claims[2].verdict == Verdict::not_distinguishable);
  CHECK(against.claims[3].verdict == Verdict::reproduced);  // 90 against half of 97
  CHECK(against.claims[4].reason == "no samkv in the store");
  CHECK(against.claims[5].reason == "ruler/niah_single_2 was not run");
  CHECK(against.claims[6].verdict == Verdict::not_tested);
  const auto stable = [](std::string text) {  // RULER's group may grow, and columns with it
    text = std::regex_replace(text, std::regex("  +"), "  ");
    return std::regex_replace(text, std::regex("2 of [0-9]+ tasks"), "2 of N tasks");
  };
  check_golden("against.txt", stable(format_against(against, "text")));
  check_golden("against.md", stable(format_against(against, "md")));
  check_golden("against.csv", stable(format_against(against, "csv")));
  const auto json = nlohmann::json::parse(format_against(against, "json"));
  CHECK(json["values"][0]["difference"].get<double>() == Approx(against.values[0].ours->value - 0.9));
  CHECK(json["claims"][1]["verdict"] == "not reproduced");
  CHECK(json["claims"][6]["reason"] == "a time");
  for (const auto& claim : json["claims"]) {
    CHECK(claim["tasks"] == (claim["p_holm"].is_null() ? 0 : claim["claim"] == "no context is better" ? 1 : 2));
    CHECK(claim["tasks_of"].get<int>() >= claim["tasks"].get<int>());
  }
  CHECK(json["claims"][0]["tasks_of"].get<int>() > 2);
  CHECK_THROWS_WITH(format_against(against, "latx"), Catch::Contains("--against has no format 'latx'"));
}

TEST_CASE("every claim that is tested is in Holm's family, those with a factor too") {
  // Both are told apart by 8 samples of 8 alone (p = 2/256), neither where they are two.
  const auto claims = [](const std::string& second) {
    return "title: x\nsource: arXiv\nclaims:\n"
           "  - {says: a, better: full, than: no_context, task: ruler/vt}\n" +
           second;
  };
  const std::string factor = "  - {says: b, better: full, than: no_context, factor: 0.9, task: ruler/vt}\n";
  const Filled store("name: x\nmodel: m\ntasks: [ruler/vt: {samples: 8}]\nstrategies: [full, no_context]\n", 8,
                     scored_by([](const CellRecord& cell, int) { return cell.strategy == "full" ? 1 : 0; }));
  const TableData data = load_table_data({store.path});
  CHECK(set_against(data, {}, published(claims(""))).claims[0].p == Approx(2.0 / 256));
  const Against both = set_against(data, {}, published(claims(factor)));
  CHECK(both.claims[0].p == Approx(4.0 / 256));
  CHECK(both.claims[1].p == Approx(4.0 / 256));
  CHECK(both.claims[1].verdict == Verdict::reproduced);
}

TEST_CASE("a margin in points is what better may lie behind, and equal scores are no proof of it by themselves") {
  const auto score = [](const CellRecord& cell, int position) {
    const bool full = position % 4 != 0;
    if (cell.strategy == "reuse") return full && position % 20 != 1 ? 1 : 0;  // 3 of 60 fewer: 5 points
    if (cell.strategy == "no_context") return position % 4 == 1 ? 1 : 0;      // 50 points fewer
    return full ? 1 : 0;
  };
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 60}]\nstrategies: [full, no_context, prefix, reuse]\n", 60,
      scored_by(score));
  std::string text = "title: x\nsource: arXiv\nclaims:\n";
  for (const char* better : {"prefix", "reuse", "no_context"}) {
    for (const char* margin : {"2", "20"})
      text +=
          std::string("  - {says: a, better: ") + better + ", than: full, margin: " + margin + ", task: ruler/vt}\n";
  }
  const Against against = set_against(load_table_data({store.path}), {}, published(text));
  const auto& claims = against.claims;
  REQUIRE(claims.size() == 6);
  const double expected[] = {0.02, 0.2, -0.03, 0.15, -0.48, -0.3};
  for (std::size_t i = 0; i < 6; ++i) {
    INFO(i);
    REQUIRE(claims[i].difference);
    CHECK(claims[i].difference->value == Approx(expected[i]));
    REQUIRE(claims[i].difference->interval);
    CHECK(claims[i].difference->interval->contains(expected[i]));
  }
  CHECK(claims[0].verdict == Verdict::not_distinguishable);  // none of 60 differs: up to 6 in 100 may
  CHECK(claims[1].verdict == Verdict::reproduced);
  CHECK(claims[2].verdict == Verdict::not_distinguishable);
  CHECK(claims[3].verdict == Verdict::reproduced);
  CHECK(claims[4].verdict == Verdict::not_reproduced);
  CHECK(claims[5].verdict == Verdict::not_reproduced);
  const auto json = nlohmann::json::parse(format_against(against, "json"));
  CHECK(json["claims"][1]["margin"].get<double>() == Approx(0.2));
  CHECK(json["claims"][1]["factor"] == 1);
}

TEST_CASE("a claim names a paper's own parameter in place of a ratio") {
  const auto claims = [](const std::string& better, const std::string& rest) {
    return published("title: x\nsource: arXiv\nclaims:\n  - {says: a, better: \"" + better +
                     "\", than: no_context, task: ruler/vt" + rest + "}\n");
  };
  const auto store = [](const std::string& epics, const std::string& right) {
    return Filled("name: x\nmodel: m\ntasks: [ruler/vt: {samples: 8}]\nstrategies: [full, no_context, " + epics +
                      "]\nratios: [0.15, 0.3]\n",
                  8, scored_by([right](const CellRecord& cell, int) { return cell.label == right ? 1 : 0; }));
  };
  const auto claim_on = [](const Filled& filled, const Published& paper) {
    return set_against(load_table_data({filled.path}), {}, paper).claims[0];
  };
  const Filled axis =
      store("epic, epic: {k: [2, 32]}, epic: {as: pairs, k: 8, last: 8}, epic: {as: short, k: 16}", "epic (k: 32)");
  CHECK(claim_on(axis, claims("epic (k: 32)", "")).verdict == Verdict::reproduced);
  CHECK(claim_on(axis, claims("epic (k: 2)", "")).difference->value == 0);
  CHECK(claim_on(axis, claims("epic (k: 16)", "")).difference->n == 8);  // by its parameters: its label is another
  CHECK(claim_on(axis, claims("epic (k: 8)", "")).reason == "no epic (k: 8) in the store");  // pairs has more of them
  CHECK(claim_on(axis, claims("epic (kk: 8)", "")).reason == "no epic (kk: 8) in the store");
  CHECK(claim_on(axis, claims("epic", ", ratio: 0.15")).difference->value == 0);
  CHECK(claim_on(axis, claims("epic", "")).reason == "epic was not run at no ratio (but at 0.15, 0.3)");
  // A ratio beside it is the other strategy's, and a k never stands for a ratio.
  CHECK(
      claim_on(axis, published("title: x\nsource: arXiv\nclaims:\n  - {says: a, better: \"epic (k: 32)\", than: epic, "
                               "ratio: 0.3, task: ruler/vt}\n"))
          .verdict == Verdict::reproduced);
  const Filled k_only = store("epic: {k: 32}", "epic (k: 32)");
  CHECK(claim_on(k_only, claims("epic", ", ratio: 0.15")).reason == "no epic at a ratio in the store");
  CHECK(claim_on(k_only, claims("epic", "")).verdict == Verdict::reproduced);
}
