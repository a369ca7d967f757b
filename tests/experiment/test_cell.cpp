#include <set>

#include "catch.h"
#include "core/error.h"
#include "experiment/config/grid.h"
#include "temp_folder.h"

using namespace kvmend;

namespace {

Config config_of(const std::string& text) {
  TempFolder folder;
  return load_config({folder.write("c.yaml", text)});
}

RunIdentity identity_for(const Config& config) {
  RunIdentity identity;
  identity.model = {"m", "weights", "tokenizer", "chatml"};
  identity.aux_models["aux"] = {"aux", "aux weights", "aux tokenizer", "raw"};
  identity.backend = "cpu";
  identity.task_data.assign(config.tasks.size(), "generated");
  return identity;
}

std::string key_of(const std::string& text, void (*change)(RunIdentity&) = nullptr) {
  const Config config = config_of(text);
  RunIdentity identity = identity_for(config);
  if (change) change(identity);
  return cell_key(config, make_grid(config).front(), identity).key;
}

const std::string base = R"(name: n
model: m
tasks: [{ruler/vt: {length: 128, seed: 1}}]
chunker: {fixed: 64}
strategies: [{test_clip: {aux_model: aux, window: 4}}]
ratios: [0.1]
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a cell's key ignores what its results do not depend on") {
  const std::string key = key_of(base);
  CHECK(key.size() == 32);
  CHECK(key == key_of(R"(ratios: [1.0e-1]
strategies:
  - test_clip:
      window: 0x4
      aux_model: "aux"
chunker: {fixed: 64}
tasks:
  - ruler/vt: {seed: 1, length: 128}
model: m
name: other
)"));
  CHECK(key == key_of(replaced(base, "seed: 1", "seed: 1, samples: 7")));
  CHECK(key == key_of(replaced(base, "window: 4", "window: 4, as: renamed")));
  CHECK(key == key_of(base + "threads: 3\ndevice: cpu\nstore: {scores: true}\ncache: {disk: on}\n"));
  CHECK(key == key_of(base + "dtype: bf16\ntokenize: whole\nload_from: device\nkeep_answer_space: false\n"));
  CHECK(key == key_of(base, [](RunIdentity& i) { i.model.name = "same file, another name"; }));
}

TEST_CASE("a cell's key changes with everything its results depend on") {
  std::set<std::string> keys{key_of(base)};
  std::size_t n = 1;
  const auto differs = [&](const std::string& key) {
    keys.insert(key);
    CHECK(keys.size() == ++n);
  };
  differs(key_of(replaced(base, "window: 4", "window: 5")));
  differs(key_of(replaced(base, "window: 4", "window: 4, sink: shared_prefix")));
  differs(key_of(replaced(base, "[0.1]", "[0.2]")));
  differs(key_of(replaced(base, "length: 128", "length: 256")));
  differs(key_of(replaced(base, "seed: 1", "seed: 2")));
  differs(key_of(replaced(base, "ruler/vt", "ruler/niah_single_1")));
  differs(key_of(replaced(base, "fixed: 64", "fixed: 32")));
  differs(key_of(replaced(base, "fixed: 64", "sentence: 64")));
  differs(key_of(base + "dtype: f32\n"));
  differs(key_of(base + "system: be brief\n"));
  differs(key_of(base + "tokenize: units\n"));
  differs(key_of(base + "load_from: disk\n"));
  differs(key_of(base + "max_new_tokens: 9\n"));
  differs(key_of(base + "keep_answer_space: true\n"));
  differs(key_of(base, [](RunIdentity& i) { i.model.weights = "w2"; }));
  differs(key_of(base, [](RunIdentity& i) { i.model.tokenizer = "t2"; }));
  differs(key_of(base, [](RunIdentity& i) { i.model.chat = "raw"; }));
  differs(key_of(base, [](RunIdentity& i) { i.aux_models["aux"].weights = "other"; }));
  differs(key_of(base, [](RunIdentity& i) { i.backend = "reference"; }));
  differs(key_of(base, [](RunIdentity& i) { i.task_data[0] = "my.jsonl sha256:0"; }));
}

TEST_CASE("cells of one task, chunker and model share their prompts") {
  const Config config = config_of("model: m\ntasks: [ruler/vt]\nstrategies: [full, epic]\nratios: [0.1, 0.2]\n");
  const RunIdentity identity = identity_for(config);
  std::set<std::string> prompts, keys;
  for (const auto& cell : make_grid(config)) {
    const CellKey key = cell_key(config, cell, identity);
    prompts.insert(key.prompts);
    keys.insert(key.key);
  }
  CHECK(prompts.size() == 1);
  CHECK(keys.size() == 3);
}

TEST_CASE("an auxiliary model that was not opened is our defect") {
  const Config config = config_of(base);
  RunIdentity identity = identity_for(config);
  identity.aux_models.clear();
  CHECK_THROWS_AS(cell_key(config, make_grid(config).front(), identity), Error);
}
