// The files in results/published, and what is said of one that is wrong.
#include "experiment/compare/published.h"

#include <map>
#include <regex>

#include "catch.h"
#include "core/error.h"
#include "core/install_paths.h"
#include "datasets/task.h"
#include "published_paper.h"

using namespace kvmend;

namespace {

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
