// What is wrong in a config is said at its place, all at once, with the nearest name.
#include <algorithm>

#include "catch.h"
#include "config_text.h"

using namespace kvmend;

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
