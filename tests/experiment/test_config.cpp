#include "catch.h"
#include "config_text.h"
#include "core/file.h"
#include "experiment/config/grid.h"
#include "paths.h"

using namespace kvmend;

TEST_CASE("the quick start's config gives its grid") {
  const Config config = config_of(quickstart);
  CHECK(config.name == "quickstart");
  CHECK(config.tasks.size() == 2);
  CHECK(config.tasks[0].samples == 20);
  CHECK(config.tasks[0].params.find("samples") == nullptr);
  CHECK(config.tasks[0].params.find("length")->as_int() == 1024);
  CHECK(config.warnings.empty());
  REQUIRE(config.strategies.size() == 12);
  // 3 without a ratio, 9 with four
  CHECK(make_grid(config).size() == 2 * (3 + 9 * 4));
  CHECK(config.strategies[3].series == "random");
  CHECK(config.strategies[5].series == "random");
  CHECK(config.strategies[3].label != config.strategies[4].label);
  CHECK(config.strategies[8].label == "prophetkv, max");
  CHECK(config.strategies[9].series != config.strategies[10].series);
  CHECK(describe(config, {8, 0.2, 1, 0}) == "prophetkv, max at 0.2 on ruler/vt");
}

TEST_CASE("chunkers are an axis, groups expand, defaults fill in") {
  const Config config = config_of(
      "model: m.gguf\ntasks: [ruler/niah]\nchunker: [{fixed: 128}, {sentence: 256}, {fixed: 128}]\nstrategies: [full]\n"
      "seed: 7\nmax_new_tokens: 5\ncache: {memory: 1.5GiB, disk: on, limit: 20GB, dir: /x}\nstore: {scores: true}\n");
  CHECK(config.name == "c");
  const std::size_t n_tasks = expand_task_group("ruler/niah", {}).size();
  CHECK(n_tasks >= 2);
  CHECK(config.tasks.size() == n_tasks);
  CHECK(config.tasks[1].params.find("seed")->as_int() == 7);
  CHECK(config.chunkers.size() == 2);
  CHECK(config.warnings.size() == 1);
  CHECK(make_grid(config).size() == 2 * n_tasks);
  CHECK(config.cache.memory == 1610612736U);
  CHECK(config.cache.limit == 20000000000U);
  CHECK(config.cache.disk);
  CHECK(config.cache.dir == "/x");
  CHECK(config.store_scores);
  CHECK(config.max_new_tokens == 5);
  CHECK(config.dtype == ComputeType::bf16);
}

TEST_CASE("the mask that lets tokens see later ones is warned of, once at each place that asks for it") {
  const Config config = config_of(
      "model: m\ntasks: [ruler/vt]\nratios: [0.1]\nstrategies:\n  - cacheblend\n  - cacheblend_repo\n"
      "  - cacheblend_lmcache: {check_layer: [1, 2]}\n  - epic: {mask: [exact, bottom_right]}\n"
      "  - cacheblend_repo: {mask: exact}\n");
  REQUIRE(config.warnings.size() == 3);
  CHECK_THAT(config.warnings[0],
             Catch::Contains("c.yaml:6:5: cacheblend_repo: mask bottom_right lets recomputed tokens"));
  CHECK_THAT(config.warnings[1], Catch::Contains("c.yaml:7:5: cacheblend_lmcache: mask bottom_right"));
  CHECK_THAT(config.warnings[2], Catch::Contains("c.yaml:8:26: epic: mask bottom_right"));
  CHECK(config_of("model: m\ntasks: [ruler/vt]\nratios: [0.1]\nstrategies: [epic]\n",
                  {"strategies.epic.mask=bottom_right"})
            .warnings.size() == 1);
}

TEST_CASE("labels are unique, duplicates collapse with a warning") {
  const Config config = config_of(
      "model: m\ntasks: [{ruler/vt: {length: [128, 256]}}, ruler/vt: {length: 128, samples: 700}]\n"
      "strategies: [{test_clip: {as: clip, window: [4, 8]}}, test_clip: {window: 4}, full, {full: {}}]\nratios: [0.1, "
      "0.10]\n");
  CHECK(labels(config) == std::vector<std::string>{"clip (window: 4)", "clip (window: 8)", "full"});
  CHECK(config.warnings.size() == 4);  // a task, a strategy twice, a ratio
  REQUIRE(config.tasks.size() == 2);
  CHECK(config.tasks[0].label == "ruler/vt (length: 128)");
  CHECK(config.tasks[0].samples == 700);
  CHECK(config.ratios == std::vector<double>{0.1});
}

TEST_CASE("the config's sink reaches the strategies that name none, and no label") {
  const Config config = config_of(
      "model: m\ntasks: [ruler/vt]\nratios: [0.1]\nsink: shared_prefix\nstrategies: [epic, prophetkv: {sink: none}]\n");
  CHECK(config.strategies[0].strategy->canonical.find("sink")->as_string() == "shared_prefix");
  CHECK(config.strategies[0].label == "epic");
  CHECK(config.strategies[1].strategy->canonical.find("sink")->as_string() == "none");
  // It settles what the parts of a composition leave open.
  const std::string mixed =
      "model: m\ntasks: [ruler/vt]\nratios: [0.1]\nstrategies:\n  - combine: {scores: [prophetkv, "
      "infoflow], as: both}\n";
  CHECK(error_of(mixed).starts_with("c.yaml:5:5: combine: prophetkv has sink none by default"));
  const Config settled = config_of("sink: none\n" + mixed);
  CHECK(settled.strategies[0].strategy->options.sink == SinkKind::none);
  CHECK(settled.strategies[0].label == "both");
}

TEST_CASE("docs/combine.md shows items that are accepted") {
  const std::string page = read_file(kvmend::source_folder() + "/docs/combine.md"), fence = "```yaml\n";
  int examples = 0;
  for (auto at = page.find(fence); at != std::string::npos; at = page.find(fence, at + 1)) {
    const auto begin = at + fence.size();
    const std::string item = page.substr(begin, page.find("```", begin) - begin);
    CHECK(config_of("model: m\ntasks: [ruler/vt]\nratios: [0.1]\nstrategies:\n" + item).strategies.size() == 1);
    ++examples;
  }
  CHECK(examples == 5);
}

TEST_CASE("the workers of several cards share the run's threads") {
  CHECK(threads_of_worker("cpu", 0, 8) == 0);
  CHECK(threads_of_worker("cuda:1", 6, 8) == 6);
  CHECK(threads_of_worker("cuda:0,1", 0, 9) == 4);
  CHECK(threads_of_worker("cuda:0,1,2", 6, 64) == 2);
  CHECK(threads_of_worker("cuda:0,1,2,3", 3, 64) == 1);
}
