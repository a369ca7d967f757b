#include "experiment/compare/against.h"

#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "catch.h"
#include "core/error.h"
#include "core/install_paths.h"
#include "datasets/task.h"
#include "graded.h"

using namespace kvmend;

namespace {

const std::string paper = R"(title: "A paper, its table 1"
source: "arXiv 0000.00000"
note: "made up"
values:
  - {model: Big-8B, strategy: prophetkv, ratio: 0.5, task: ruler/vt, score: 90}
  - {model: Big-8B, strategy: full, task: ruler/all, score: 95.5}
  - {model: Big-8B, strategy: samkv, ratio: 0.5, task: ruler/vt, score: 80}
  - {model: Big-8B, strategy: prophetkv, ratio: 0.15, task: ruler/vt, score: 70}
claims:
  - {says: "context helps", better: full, than: no_context, task: ruler/all, theirs: "+50"}
  - {says: "no context is better", better: no_context, than: full, task: ruler/vt}
  - {says: "selecting beats chance", better: prophetkv, than: random, ratio: 0.2, task: ruler/all}
  - {says: "half keeps half", better: prophetkv, than: full, factor: 0.5, ratio: 0.5, task: ruler/all, theirs: "60 %"}
  - {says: "it beats another", better: prophetkv, than: samkv, ratio: 0.5, task: ruler/vt}
  - {says: "on another task", better: full, than: no_context, task: ruler/niah_single_2}
  - {says: "it is fast", not_tested: "a time"}
)";

Published published(const std::string& text = paper) {
  const TempFolder folder;
  return read_published(folder.write("paper.yaml", text));
}

std::string error_of(const std::string& text) {
  try {
    published(text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "";
}

}  // namespace

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

TEST_CASE("lengths of a task are not averaged for a claim") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {length: [2048, 4096], samples: 30}]\nstrategies: [full, no_context]\n");
  const TableData data = load_table_data({store.path});
  const Against mixed = set_against(data, {}, published());
  CHECK(mixed.claims[0].verdict == Verdict::not_tested);
  CHECK(mixed.claims[0].reason ==
        "ruler/vt was run in several variants (ruler/vt (length: 2048); ruler/vt (length: 4096)): choose with --where");
  CHECK(mixed.values[1].reason == mixed.claims[0].reason);
  const Against chosen = set_against(data, {{"length", "4096"}}, published());
  CHECK(chosen.claims[0].difference->n == 30);
  CHECK(chosen.claims[0].tasks == 1);
}

TEST_CASE("runs over other prompts of one task are variants of it, and no pairs") {
  const std::string config = "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 30}]\n";
  const std::string both = config + "strategies: [full, no_context]\n", longer = "max_new_tokens: 64\n";
  const Filled store(both + "max_new_tokens: 32\n");
  {
    Store more = Store::open(store.path, Store::Mode::write);
    fill_store(more, both + longer, 0, 30, graded_result);
  }
  const TableData data = load_table_data({store.path});
  const Against mixed = set_against(data, {}, published());
  CHECK(mixed.claims[0].reason ==
        "ruler/vt was run in several variants (ruler/vt (max_new_tokens: 32); ruler/vt (max_new_tokens: 64)): choose "
        "with --where");
  CHECK(mixed.values[1].reason == mixed.claims[0].reason);
  CHECK(set_against(data, {{"max_new_tokens", "64"}}, published()).claims[0].difference->n == 30);
  const Filled apart(config + "strategies: [full]\n");
  {
    Store more = Store::open(apart.path, Store::Mode::write);
    fill_store(more, config + longer + "strategies: [no_context]\n", 0, 30, graded_result);
  }
  const Against none = set_against(load_table_data({apart.path}), {}, published());
  CHECK(none.claims[0].verdict == Verdict::not_tested);
  CHECK(none.claims[0].reason == "no sample in common");
}

TEST_CASE("a prompt's BOS and answer space are dimensions, so that --where can choose them") {
  const std::string config =
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 4}]\nstrategies: [full, epic]\nratios: [0.2]\n";
  const Filled store(config, 4);
  {
    Store more = Store::open(store.path, Store::Mode::write);
    fill_store(more, config + "sink: keep_bos\nkeep_answer_space: true\n", 0, 4);
  }
  const Table table = store.table();
  CHECK(table.row_dimensions == std::vector<std::string>{"strategy", "keep_bos"});
  for (const char* name : {"keep_bos", "keep_answer_space"})
    CHECK(store.table({{"strategy"}, {"ratio"}, {"n"}, {{name, "true"}}}).rows.size() == 2);
}

TEST_CASE("results over several models or chunkers are not mixed into one comparison") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 4}]\nchunker: [{fixed: 64}, {fixed: 128}]\nstrategies: [full]\n",
      4);
  const TableData data = load_table_data({store.path});
  CHECK_THROWS_WITH(set_against(data, {}, published()), Catch::Contains("--against compares one chunker; choose with"));
  CHECK(set_against(data, {{"chunker", "fixed: 64"}}, published()).values[1].ours->n == 4);
}

TEST_CASE("every shipped table of a paper can be read, and names its source") {
  const auto folder = shipped_path("results/published");
  const auto names = published_names(folder);
  CHECK(names.size() >= 9);
  for (const auto& name : names) {
    CAPTURE(name);
    const Published file = read_published(folder / (name + ".yaml"));
    CHECK_FALSE(file.title.empty());
    CHECK_THAT(file.source, Catch::Contains("arXiv"));
    CHECK_FALSE(file.claims.empty());
  }
}

TEST_CASE("a paper's average over RULER is that of the tasks and groups that it is shipped with") {
  const Published paper = read_published(shipped_path("results/published/ruler4k-independent.yaml"));
  std::map<std::string, double> average, sum;
  std::map<std::string, std::size_t> tasks;
  for (const PublishedValue& value : paper.values) {
    if (value.task == "ruler/all") {
      average[value.strategy] = value.score;
      continue;
    }
    const std::size_t members = expand_task_group(value.task, {}).size();
    tasks[value.strategy] += members;
    sum[value.strategy] += value.score * static_cast<double>(members);
  }
  CHECK(average.size() == 3);
  for (const auto& [strategy, mean] : average) {
    CHECK(tasks[strategy] == 13);
    CHECK(sum[strategy] / 13 == Approx(mean).margin(0.051));
  }
}

TEST_CASE("the size that a claim reports is that of the paper's numbers beside it") {
  const std::regex points("[+-][0-9.]+"), share("[0-9.]+ %");
  const auto folder = shipped_path("results/published");
  int checked = 0;
  for (const auto& name : published_names(folder)) {
    const Published paper = read_published(folder / (name + ".yaml"));
    for (const PublishedClaim& claim : paper.claims) {
      const bool of_share = std::regex_match(claim.theirs, share);
      if (claim.better.empty() || (!of_share && !std::regex_match(claim.theirs, points))) continue;
      std::map<std::string, double> better, than;  // by model
      for (const PublishedValue& value : paper.values) {
        if (value.task != claim.task || (value.ratio && value.ratio != claim.ratio)) continue;
        if (value.strategy == claim.better) better[value.model] = value.score;
        if (value.strategy == claim.than) than[value.model] = value.score;
      }
      std::vector<double> sizes;
      for (const auto& [model, score] : better) {
        if (than.contains(model)) sizes.push_back(of_share ? 100 * score / than[model] : score - than[model]);
      }
      if (sizes.size() != 1) continue;  // the size is not of one pair of numbers, or these are not there
      INFO(name << ": " << claim.says);
      CHECK(std::stod(claim.theirs) == Approx(sizes[0]).margin(0.051));
      ++checked;
    }
  }
  CHECK(checked >= 30);
}

TEST_CASE("what is wrong in a published file is said with its place") {
  CHECK_THAT(error_of("title: x\nsource: y\nvalues: [{model: a, strateg: b}]\n"),
             Catch::Contains("paper.yaml:3:21: ") && Catch::Contains("strateg"));
  CHECK_THAT(error_of("title: x\nsource: y\nclaims: [{says: a, better: b}]\n"),
             Catch::Contains("a claim has better, than and task, or not_tested with a reason"));
  CHECK_THAT(error_of("title: x\n"), Catch::Contains("'source' is missing"));
  CHECK_THAT(error_of("titel: x\nsource: y\n"), Catch::Contains("unknown key 'titel'"));
  CHECK_THAT(error_of("title: x\nsource: y\nvalues: [{score: 120}]\n"), Catch::Contains("120"));
  CHECK_THAT(error_of("title: x\nsource: y\nclaims: [{says: a, better: b, than: c, task: d, margin: -2}]\n"),
             Catch::Contains("margin"));
}
