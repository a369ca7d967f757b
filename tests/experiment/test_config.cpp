#include <algorithm>

#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "experiment/config/config.h"
#include "experiment/config/grid.h"
#include "paths.h"
#include "temp_folder.h"

using namespace kvmend;

namespace {

constexpr const char* quickstart = R"(name: quickstart
model: smollm2-135m
dtype: bf16
tasks:
  - ruler/niah_multikey_1: {length: 1024, samples: 20, seed: 42}
  - ruler/vt
chunker: {fixed: 256}
strategies:
  - full
  - no_context
  - reuse
  - random: {seed: [1, 2, 3]}
  - epic
  - prophetkv
  - prophetkv: {as: "prophetkv, max", fusion: max}
  - test_clip: {aux_model: smollm2-135m, window: [4, 8, 16]}
ratios: [0.05, 0.1, 0.2, 0.5]
)";

Config config_of(const std::string& text, const std::vector<std::string>& settings = {}) {
  TempFolder folder;
  return load_config({folder.write("c.yaml", text)}, settings);
}

std::string error_of(const std::string& text, const std::vector<std::string>& settings = {}) {
  TempFolder folder;
  const auto path = folder.write("c.yaml", text);
  try {
    load_config({path}, settings);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    std::string message = error.what();
    for (std::size_t at; (at = message.find(folder.path().string() + "/")) != std::string::npos;) {
      message.erase(at, folder.path().string().size() + 1);
    }
    return message;
  }
  return "";
}

std::vector<std::string> labels(const Config& config) {
  std::vector<std::string> out;
  for (const auto& variant : config.strategies) out.push_back(variant.label);
  return out;
}

}  // namespace

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

TEST_CASE("all errors of a config are reported at once, in order, with the nearest name") {
  const std::string message = error_of(R"(name: x
modle: m
dtype: fp8
tasks:
  - ruler/vt: {lenght: 1024}
  - ruler/vtt
strategies:
  - prohpetkv
  - test_clip: {window: 0}
  - full: 3
ratios: [0.1, 7, -1, big, 250]
threads: many
cache: {memory: 5 apples, dsik: off}
device: gpu
chat: chatlm
chunker: {fxied: 3}
)");
  CHECK(message == R"(c.yaml:2:1: unknown key 'modle'; did you mean 'model'?
c.yaml:3:8: dtype: unknown value 'fp8' (one of f32, bf16)
c.yaml:5:16: unknown parameter 'lenght'; did you mean 'length'?
c.yaml:6:5: unknown task 'ruler/vtt'; did you mean 'ruler/vt'?
c.yaml:8:5: unknown strategy 'prohpetkv'; did you mean 'prophetkv'?
c.yaml:9:25: window is 0, must be at least 1
c.yaml:10:11: the parameters of full are a map, found an integer
c.yaml:11:15: ratio 7 is above 1; did you mean 0.07?
c.yaml:11:18: ratio -1 is not between 0 and 1
c.yaml:11:22: a ratio is a number from 0 to 1, found big
c.yaml:11:27: ratio 250 is not between 0 and 1
c.yaml:12:10: expected an integer, found a string (many)
c.yaml:13:17: '5 apples' is no size; write for example 512MiB, 20GiB or 1.5GB
c.yaml:13:27: unknown key 'dsik' in cache; did you mean 'disk'?
c.yaml:14:9: device 'gpu' is none of auto, cpu, reference, cuda, cuda:N,M
c.yaml:15:7: unknown chat format 'chatlm'; did you mean 'chatml'?
c.yaml:16:11: unknown chunker 'fxied'; did you mean 'fixed'?
c.yaml: model is missing: a name, a .gguf file or a Hugging Face folder)");
}

TEST_CASE("every key is listed with its type, default and help, from the declarations that are read by") {
  const std::vector<ParamInfo> keys = config_keys();
  std::string yaml = "model: m\ntasks: [ruler/vt]\nstrategies: [full]\n";
  std::vector<std::string> names;
  for (const ParamInfo& key : keys) {
    INFO(key.name);
    CHECK_FALSE(key.type.empty());
    CHECK_FALSE(key.help.empty());
    CHECK_FALSE(key.default_value.empty());
    CHECK(std::find(names.begin(), names.end(), key.name) == names.end());
    names.push_back(key.name);
  }
  for (const char* name : {"model", "tasks", "chunker", "ratios", "cache.dir", "store.scores", "max_new_tokens", "set"})
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  // The canonical config has each of them, but for what is gone once files are merged.
  const Value canonical = config_of(yaml).canonical();
  for (const std::string& name : names) {
    if (name == "include" || name == "set") continue;
    INFO(name);
    const std::size_t dot = name.find('.');
    const Value* value = canonical.find(name.substr(0, dot));
    REQUIRE(value);
    if (dot != std::string::npos) CHECK(value->find(name.substr(dot + 1)));
  }
}

TEST_CASE("what is missing for a misspelt key's sake stands behind the key") {
  CHECK(error_of("model: m\ntasks: [ruler/vt]\nstratgies: [full]\n") ==
        "c.yaml:3:1: unknown key 'stratgies'; did you mean 'strategies'?\n"
        "c.yaml: strategies is missing: a list of names or of name: {parameters}");
}

TEST_CASE("a strategy that needs a ratio asks for one, others do not") {
  CHECK(error_of("model: m\ntasks: [ruler/vt]\nstrategies: [full, epic]\n") ==
        "c.yaml:3:20: epic needs a ratio: add e.g. `ratios: [0.1, 0.2]`");
  CHECK(error_of("model: m\ntasks: [ruler/vt]\nstrategies: [full]\n").empty());
  CHECK(error_of("model: m\ntasks: []\nstrategies: full\n")
            .find("tasks is a list of names or of name: {parameters}, found an empty one") != std::string::npos);
  CHECK(error_of("model: m\ntasks:\n  - ruler/vt:\n    length: 5\nstrategies: [full]\n")
            .find("c.yaml:4:5: 'length' stands beside 'ruler/vt'") == 0);
}

TEST_CASE("--set reaches every element, an index, a name, and says where it is wrong") {
  const Config all =
      config_of(quickstart, {"tasks.*.samples=5", "ratios=[0.25]", "model=other", "strategies.prophetkv.fusion=max"});
  CHECK(all.tasks[0].samples == 5);
  CHECK(all.tasks[1].samples == 5);
  CHECK(all.ratios == std::vector<double>{0.25});
  CHECK(all.model == "other");
  CHECK(all.text.find("# --set tasks.*.samples=5") != std::string::npos);
  const Config some = config_of(quickstart, {"strategies.*.window=32", "tasks.1=ruler/niah_single_1", "cache.disk=on",
                                             "strategies.test_clip.window=[1, 2]"});
  CHECK(some.strategies.size() == 11);
  CHECK(some.tasks[1].name == "ruler/niah_single_1");
  CHECK(some.cache.disk);

  CHECK(error_of(quickstart, {"tasks.*.smaples=5"}) ==
        "--set:1:9: no element of tasks takes 'smaples'; did you mean 'samples'?");
  CHECK(error_of(quickstart, {"tasks.0.samples=5", "tasks.7.samples=5"}) ==
        "--set:2:7: there is no element 7: the list has 2 (0 is the first)");
  CHECK(error_of(quickstart, {"tasks.ruler/vtx.samples=5"}) ==
        "--set:1:7: 'ruler/vtx' matches nothing in tasks; did you mean 'ruler/vt'?");
  CHECK(error_of(quickstart, {"task.*.samples=5"}) ==
        "--set:1:1: the config has no 'task' to look below; did you mean 'tasks'?");
  CHECK(error_of("model: m\n", {"tasks.*.samples=5"}) == "--set:1:1: the config has no 'tasks' to look below");
  CHECK(error_of(quickstart, {"modle=5"}) == "--set:1:1: unknown key 'modle'; did you mean 'model'?");
  CHECK(error_of(quickstart, {"model.x=5"}) == "--set:1:7: 'x' matches nothing: model is a string, it has no keys");
  CHECK(error_of(quickstart, {"ratios=[0.1, 7]"}) == "--set:1:14: ratio 7 is above 1; did you mean 0.07?");
  CHECK(error_of(quickstart, {"ratios=[1.2]"}) == "--set:1:9: ratio 1.2 is not between 0 and 1");
  CHECK(error_of(quickstart, {"samples=2"}) == "--set:1:1: unknown key 'samples'; did you mean 'tasks.*.samples'?");
  CHECK(error_of(quickstart, {"fusion=max"}) == "--set:1:1: unknown key 'fusion'; did you mean 'strategies.*.fusion'?");
  CHECK(error_of(quickstart, {"foo=1"}) == "--set:1:1: unknown key 'foo'; 'kvmend list config' lists them");
  CHECK(error_of(quickstart, {"set=[a=1]"}) == "--set:1:1: set works in a file only");
  CHECK(error_of(std::string(quickstart) + "samples: 2\n") ==
        "c.yaml:18:1: unknown key 'samples'; it is a parameter of tasks: write it as NAME: {samples: …}");
  CHECK(error_of(quickstart, {"model"}).find("has no value; write it as path=value") != std::string::npos);
  CHECK(error_of(quickstart, {"tasks..x=1"}) == "--set:1:7: 'tasks..x=1' has an empty step in its path");
  CHECK(error_of(quickstart, {"tasks.0.lenght=5"}) == "--set:1:9: unknown parameter 'lenght'; did you mean 'length'?");
}

TEST_CASE("a file's set: lies over whatever tasks the other files name; --set over that") {
  TempFolder folder;
  const auto paper = folder.write("paper.yaml", quickstart);
  const auto small = folder.write("small.yaml",
                                  "model: tiny\nset:\n  - tasks.*.samples=5\n  - tasks.*.max_prompt=512\n"
                                  "  - tasks.0.length=700\n");
  const Config config = load_config({paper, small}, {"tasks.1.samples=6"});
  CHECK(config.model == "tiny");
  CHECK(config.tasks[0].samples == 5);
  CHECK(config.tasks[0].params.find("length")->as_int() == 700);
  CHECK(config.tasks[1].samples == 6);
  CHECK(config.strategies.size() == 12);
  const auto wrong = [&](const std::string& line) {
    return error_of(std::string(quickstart) + "set: [" + line + "]\n");
  };
  CHECK(wrong("tasks.*.smaples=5") == "c.yaml:18:15: no element of tasks takes 'smaples'; did you mean 'samples'?");
  CHECK(wrong("tasks.9.samples=5") == "c.yaml:18:13: there is no element 9: the list has 2 (0 is the first)");
  CHECK(wrong("5") == "c.yaml:18:7: set is a list of path=value, as --set takes them, e.g. 'tasks.*.samples=5'");
}

TEST_CASE("a file's set: stands at its file's place: it changes what lies below, and later files win over it") {
  TempFolder folder;
  const auto sweep = folder.write("sweep.yaml", "model: m\ntasks: [ruler/vt: {samples: 50}]\nstrategies: [full]\n");
  const auto small = folder.write("small.yaml", "model: small\nset: [tasks.*.samples=5, tasks.*.length=600]\n");
  const auto mine = folder.write("mine.yaml", "tasks: [ruler/cwe: {samples: 9}]\n");
  CHECK(load_config({sweep, small}).tasks[0].samples == 5);
  const Config later = load_config({sweep, small, mine});
  CHECK(later.model == "small");
  CHECK(later.tasks[0].name == "ruler/cwe");
  CHECK(later.tasks[0].samples == 9);
  CHECK(load_config({sweep, mine, small}).tasks[0].samples == 5);
  // The later set: wins, as the later file does.
  const auto more = folder.write("more.yaml", "set: [tasks.*.samples=7]\n");
  CHECK(load_config({sweep, small, more}).tasks[0].samples == 7);
  CHECK(load_config({sweep, more, small}).tasks[0].samples == 5);
  // An included overlay lies below the file that includes it, over the files before.
  const auto own = folder.write("own.yaml", "include: [sweep.yaml, small.yaml]\nset: tasks.*.length=700\n");
  const Config included = load_config({own});
  CHECK(included.tasks[0].samples == 5);
  CHECK(included.tasks[0].params.find("length")->as_int() == 700);
  CHECK_THROWS_WITH(load_config({small}),
                    Catch::Contains("small.yaml:2:7: 'tasks.*.samples=5' finds no tasks: ") &&
                        Catch::Contains("this one is an overlay; put a sweep before it: kvmend run SWEEP.yaml "));
  CHECK_THROWS_WITH(load_config({small, sweep}), Catch::Contains("is an overlay"));
}

TEST_CASE("configs merge left to right, includes lie below") {
  TempFolder folder;
  folder.write("base/common.yaml",
               "model: base\ncache: {disk: on, limit: 1GiB}\nchunker: {fixed: 64}\nratios: [0.5]\n");
  const auto first = folder.write(
      "a.yaml",
      "include: base/common.yaml\nname: a\ncache: {limit: 2GiB}\ntasks: [ruler/vt]\nstrategies: [full, epic]\n");
  const auto second = folder.write("b.yaml", "chunker: {sentence: 32}\nstrategies: [epic]\nratios: [0.1]\n");
  const Config config = load_config({first, second});
  CHECK(config.name == "a");
  CHECK(config.model == "base");
  CHECK(config.cache.disk);
  CHECK(config.cache.limit == std::uint64_t{2} << 30);
  CHECK(config.chunkers[0].flow() == "{sentence: 32}");
  CHECK(labels(config) == std::vector<std::string>{"epic"});
  CHECK(config.ratios == std::vector<double>{0.1});
  CHECK(config.text.find("model: base") < config.text.find("name: a"));

  const auto loop = folder.write("loop.yaml", "include: [other.yaml]\n");
  folder.write("other.yaml", "\ninclude: loop.yaml\n");
  CHECK_THROWS_WITH(load_config({loop}),
                    Catch::Contains("other.yaml:2:10: include goes in a circle: loop.yaml -> other.yaml -> loop.yaml"));
  const auto dangling = folder.write("dangling.yaml", "include: nowhere.yaml\n");
  CHECK_THROWS_WITH(load_config({dangling}),
                    Catch::Contains("dangling.yaml:1:10: ") && Catch::Contains("no such config file"));
  CHECK_THROWS_WITH(load_config({folder / "missing.yaml"}), Catch::Contains("no such config file"));
  CHECK_THROWS_WITH(load_config({folder.write("list.yaml", "- a\n")}), Catch::Contains("a config is a map"));
}

TEST_CASE("the workers of several cards share the run's threads") {
  CHECK(threads_of_worker("cpu", 0, 8) == 0);
  CHECK(threads_of_worker("cuda:1", 6, 8) == 6);
  CHECK(threads_of_worker("cuda:0,1", 0, 9) == 4);
  CHECK(threads_of_worker("cuda:0,1,2", 6, 64) == 2);
  CHECK(threads_of_worker("cuda:0,1,2,3", 3, 64) == 1);
}
