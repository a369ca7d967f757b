#include "experiment/store/sweep_mixing.h"

#include "catch.h"
#include "synthetic.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

constexpr const char* held_config = R"(name: synthetic
model: tiny
tasks: [ruler/niah_single_1: {length: 512, samples: 4}, ruler/vt: {length: 512, samples: 4}]
strategies: [full, prophetkv]
ratios: [0.2]
chunker: {fixed: 64}
)";

std::string with(const std::string& old, const std::string& fresh) {
  std::string out = held_config;
  return out.replace(out.find(old), old.size(), fresh);
}

/// What a run of the config is told about a store that holds `before`.
std::string warning(const std::string& config, const std::string& before = held_config) {
  const TempFolder folder;
  Store store = Store::open(folder / "s.kvmend", Store::Mode::write);
  fill_store(store, before, 0, 2);
  const Config wanted = load_config({folder.write("wanted.yaml", config)});
  std::vector<CellRecord> cells;
  for (const Cell& cell : make_grid(wanted))
    cells.push_back(make_cell_record(wanted, cell, synthetic_identity(wanted)));
  return mixing_warning(store, cells);
}

}  // namespace

TEST_CASE("a wider grid in the same store is no mixture") {
  CHECK(warning(held_config).empty());
  CHECK(warning(with("samples: 4}, ruler", "samples: 9}, ruler")).empty());
  CHECK(warning(with("[full, prophetkv]", "[full, epic, random]")).empty());
  CHECK(warning(with("[0.2]", "[0.1, 0.5]")).empty());
  CHECK(warning(with("ruler/vt: {length: 512, samples: 4}", "ruler/cwe: {length: 700}")).empty());
  CHECK(warning(with("vt: {length: 512", "vt: {length: [512, 700]")).empty());  // an axis with the old value on it
  CHECK(warning(with("{fixed: 64}", "[{fixed: 64}, {fixed: 128}]")).empty());
  CHECK(
      warning(with("vt: {length: 512", "vt: {length: [512, 700]"), with("vt: {length: 512", "vt: {length: [512, 700]"))
          .empty());
  CHECK(warning(held_config, with("vt: {length: 512", "vt: {length: [512, 700]")).empty());  // narrower again
}

TEST_CASE("other parameters of a task of the same name are said, with both values and a way out") {
  const std::string one = warning(with("vt: {length: 512", "vt: {length: 700"));
  CHECK_THAT(one, Contains("s.kvmend holds results of other settings"));
  CHECK_THAT(one, Contains(": ruler/vt: length is 512 there and 700 now. "));
  CHECK_THAT(one, Contains(" --where 'length=700'`, or a store of its own (-o FILE)"));
  std::string both = held_config;
  for (std::size_t at = 0; (at = both.find("512", at)) != std::string::npos;) both.replace(at, 3, "700");
  CHECK_THAT(warning(both), Contains("ruler/niah_single_1, ruler/vt: length is 512 there and 700 now"));
  // One more value than before, but not the old one.
  CHECK_THAT(warning(with("vt: {length: 512", "vt: {length: [700, 900]")), Contains("length is 512 there and "));
}

TEST_CASE("settings of the whole run that are others are said once, not for each task") {
  const std::string tokens = warning(std::string(held_config) + "max_new_tokens: 2\nsystem: Be terse.\n");
  CHECK_THAT(tokens, Contains("system is empty there and Be terse. now"));
  CHECK_THAT(tokens, Contains("max_new_tokens is not set there and 2 now"));
  CHECK_THAT(tokens, !Contains("ruler/"));
  CHECK_THAT(
      warning(with("{fixed: 64}", "{fixed: 128}")),
      Contains("chunker is {fixed: 64} there and {fixed: 128} now") && Contains("--where 'chunker={fixed: 128}'"));
  CHECK_THAT(warning(with("model: tiny", "model: other")),
             Contains("model is tiny there and other now") && !Contains("weights"));
  CHECK_THAT(warning(std::string(held_config) + "dtype: f32\n"), Contains("dtype is bf16 there and f32 now"));
}

TEST_CASE("cells that were wanted and never computed mix with nothing") {
  const TempFolder folder;
  Store store = Store::open(folder / "s.kvmend", Store::Mode::write);
  const SyntheticRun run = fill_store(store, held_config, 0, 0);
  const Config wanted = load_config({folder.write("wanted.yaml", with("vt: {length: 512", "vt: {length: 700"))});
  std::vector<CellRecord> cells;
  for (const Cell& cell : make_grid(wanted))
    cells.push_back(make_cell_record(wanted, cell, synthetic_identity(wanted)));
  CHECK(mixing_warning(store, cells).empty());
  CHECK_FALSE(run.cells.empty());
}
