// configs/papers and results/published are about the same experiments: whatever a paper's numbers or claims name, one of its
// configs runs. That each config runs is tests/app's matter.
#include <algorithm>
#include <set>

#include "catch.h"
#include "core/install_paths.h"
#include "experiment/config.h"
#include "experiment/published.h"

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

}  // namespace

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
