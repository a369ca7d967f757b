// configs/papers and results/published are about the same experiments: whatever a paper's numbers or claims name, one of its
// configs runs. That each config runs is tests/app's matter.
#include <algorithm>
#include <map>
#include <set>

#include "catch.h"
#include "core/file.h"
#include "core/install_paths.h"
#include "eval/metric.h"
#include "experiment/compare/published.h"
#include "experiment/config/cell.h"
#include "experiment/config/config.h"
#include "experiment/config/yaml_reader.h"

using namespace kvmend;

namespace {

struct Covered {
  std::set<std::string> strategies, tasks;
  std::set<double> ratios;
};

/// What the configs of one paper run; "infoflow-qa" and "infoflow-ratio" are of the paper "infoflow".
Covered covered_by(const std::string& paper) {
  Covered out;
  for (const auto& entry : std::filesystem::directory_iterator(shipped_path("configs/papers"))) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".yaml" || name.substr(0, name.find('-')) != paper) continue;
    if (name == "recycling") continue;  // kvmend recycle's form
    const Config config = load_config({entry.path()});
    CHECK(config.name == name);
    for (const auto& warning : config.warnings) CHECK(warning.find("same strategy") == std::string::npos);
    for (const auto& variant : config.strategies) {
      out.strategies.insert(variant.label);
      out.strategies.insert(variant.strategy->info.name);
    }
    for (const auto& task : config.tasks) out.tasks.insert(task.name);
    out.ratios.insert(config.ratios.begin(), config.ratios.end());
    for (const char* reference : {"full", "no_context"}) {
      const auto is_reference = [&](const StrategyVariant& variant) { return variant.label == reference; };
      const bool there = std::any_of(config.strategies.begin(), config.strategies.end(), is_reference);
      CHECK(there);
    }
  }
  return out;
}

/// What a config reads besides its model, by the names that `kvmend fetch` knows.
std::set<std::string> to_fetch(const Config& config) {
  std::set<std::string> out;
  for (const auto& task : config.tasks) {
    if (task.name == "ruler/qa_1") out.insert("squad");
    if (task.name == "ruler/qa_2") out.insert("hotpotqa");
    if (task.name.starts_with("longbench/")) out.insert("longbench");
    if (task.metric.ends_with("_zh") && find_metric(task.metric).check) out.insert("jieba");
  }
  for (const auto& variant : config.strategies) {
    for (const auto& name : auxiliary_models(*variant.strategy)) out.insert(name);
  }
  return out;
}

std::vector<std::string> split(const std::string& text, const std::string& separators) {
  std::vector<std::string> out{""};
  for (const char c : text) {
    if (separators.find(c) == std::string::npos)
      out.back() += c;
    else if (!out.back().empty())
      out.emplace_back();
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

}  // namespace

TEST_CASE("configs/papers/README.md lists every experiment, with what it has to fetch") {
  const auto folder = shipped_path("configs/papers");
  const std::string readme = read_file(folder / "README.md");
  std::map<std::string, std::set<std::string>> listed;  // by config: the column "fetch"
  std::set<std::string> in_command;
  for (const std::string& line : split(readme, "\n")) {
    if (line.starts_with("kvmend fetch ")) {
      for (const auto& name : split(line.substr(13, line.find('#') - 13), " ")) in_command.insert(name);
    }
    const auto columns = split(line, "|");
    if (columns.size() < 4 || columns[0] == " file " || columns[0].starts_with("--")) continue;
    std::set<std::string> names;
    for (const auto& name : split(columns[2], " ")) {
      if (name != "–") names.insert(name);
    }
    for (const auto& file : split(columns[0], ", ")) listed[file] = names;
  }
  std::set<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".yaml" || name == "small") continue;
    INFO(name);
    REQUIRE(listed.contains(name));
    std::set<std::string> expected;
    if (name == "recycling")  // kvmend recycle's form
      expected = {read_yaml_file(entry.path()).find("encoder")->as_string()};
    else
      expected = to_fetch(load_config({entry.path()}));
    CHECK(listed.at(name) == expected);
    all.insert(expected.begin(), expected.end());
  }
  CHECK(in_command == all);
}

TEST_CASE("what a paper's numbers and claims name is run by a config of it") {
  const auto folder = shipped_path("results/published");
  for (const auto& name : published_names(folder)) {
    INFO(name);
    const Published paper = read_published(folder / (name + ".yaml"));
    const Covered covered = covered_by(name.substr(0, name.find('-')));
    CHECK(paper.source.find("arXiv") != std::string::npos);
    const auto check = [&](const std::string& strategy, const std::optional<double>& ratio, const std::string& task) {
      INFO(strategy << " on " << task);
      CHECK(covered.strategies.contains(strategy));
      if (ratio) CHECK(covered.ratios.contains(*ratio));
      for (const auto& one : expand_task_group(task, {})) CHECK(covered.tasks.contains(one));
    };
    for (const auto& value : paper.values) check(value.strategy, value.ratio, value.task);
    for (const auto& claim : paper.claims) {
      if (!claim.not_tested.empty()) continue;
      check(claim.better, claim.ratio, claim.task);
      check(claim.than, claim.ratio, claim.task);
    }
    if (name == "recycling") continue;  // a stream's claims are tested prompt by prompt
    CHECK_FALSE(covered.strategies.empty());
  }
}
