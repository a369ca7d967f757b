// What lies over what: includes, several files, a file's set:, --set.
#include "catch.h"
#include "config_text.h"

using namespace kvmend;

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
