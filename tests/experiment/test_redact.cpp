// merge --redact: a store without a task's texts stays one, whoever adds to it.
#include "experiment/store/redact.h"

#include <algorithm>

#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "experiment/store/merge.h"
#include "synthetic.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

using Tasks = std::set<std::string>;
const Tasks both_tasks{"ruler/niah_single_1", "ruler/vt"};

std::filesystem::path shard(const TempFolder& folder, const std::string& name, int begin, int end) {
  Store store = Store::open(folder / name, Store::Mode::write);
  fill_store(store, synthetic_config, begin, end);
  return folder / name;
}

/// How many samples of a task have their texts or token ids.
int in_clear(const std::filesystem::path& path, const std::string& task) {
  Store store = Store::open(path, Store::Mode::read);
  Tasks prompts;
  for (const CellRecord& cell : store.cells()) {
    if (cell.task == task) prompts.insert(cell.prompts);
  }
  int out = 0;
  for (const SampleRow& row : store.samples()) {
    const SampleRecord sample = store.sample(row.id);
    const auto& ids = sample.tokens.ids;
    const bool bare = sample.text.find_first_not_of("_ \n") == std::string::npos &&
                      std::count(ids.begin(), ids.end(), 0) == static_cast<std::ptrdiff_t>(ids.size());
    out += prompts.contains(row.prompts) && !bare;
  }
  return out;
}

Tasks redacted_in(const std::filesystem::path& path) { return Store::open(path, Store::Mode::read).redacted_tasks(); }

/// As a kvmend wrote it that kept no list of redacted tasks.
void make_format_2(const std::filesystem::path& path) {
  Store::open(path, Store::Mode::write).database().execute("DROP TABLE redacted_tasks; PRAGMA user_version = 2");
}

std::int64_t format_of(const std::filesystem::path& path) {
  return Store::open(path, Store::Mode::read).database().integer("PRAGMA user_version");
}

}  // namespace

TEST_CASE("redacting takes what the store has in clear out of the file, not out of the table alone") {
  const TempFolder folder;
  const auto a = shard(folder, "a.kvmend", 0, 4), out = folder / "out.kvmend";
  merge_stores(out, {a});
  const SampleRecord sample = Store::open(out, Store::Mode::read).sample(1);
  const std::string text = compress(sample.text), tokens = pack_tokens(sample.tokens);
  CHECK(read_file(out).find(text) != std::string::npos);
  CHECK(read_file(out).find(tokens) != std::string::npos);
  const MergeReport report = merge_stores(out, {a}, {.redact = {both_tasks.begin(), both_tasks.end()}});
  CHECK(report.added == 0);
  CHECK(report.redacted == both_tasks);
  CHECK(redacted_in(out) == both_tasks);
  for (const std::string& task : both_tasks) CHECK(in_clear(out, task) == 0);
  CHECK(read_file(out).find(text) == std::string::npos);
  CHECK(read_file(out).find(tokens) == std::string::npos);
  CHECK(rescore(out).changed == 0);  // answers and predictions stay
  const SampleRecord bare = Store::open(out, Store::Mode::read).sample(1);
  CHECK(bare.text.size() == sample.text.size());
  CHECK(bare.tokens.end == sample.tokens.end);
  CHECK(bare.prompt_hash == sample.prompt_hash);
  CHECK(in_clear(a, "ruler/vt") == 4);  // the stores merged are never changed
}

TEST_CASE("a store keeps to its redactions, whoever adds samples: a merge that does not ask for it, or a run") {
  const TempFolder folder;
  const auto a = shard(folder, "a.kvmend", 0, 2), b = shard(folder, "b.kvmend", 2, 4), out = folder / "out.kvmend";
  merge_stores(out, {a}, {.redact = {"ruler/vt"}});
  CHECK(merge_stores(out, {b}).redacted == Tasks{"ruler/vt"});
  CHECK(in_clear(out, "ruler/vt") == 0);
  CHECK(in_clear(out, "ruler/niah_single_1") == 4);
  {
    Store store = Store::open(out, Store::Mode::write);
    fill_store(store, synthetic_config, 3, 6);  // one sample is there: its prompt is compared by its hash
    CHECK(store.samples().size() == 12);
  }
  CHECK(in_clear(out, "ruler/vt") == 0);
  CHECK(in_clear(out, "ruler/niah_single_1") == 6);
}

TEST_CASE("what is merged from a redacted store is redacted; texts go only where that is asked for") {
  const TempFolder folder;
  const auto a = shard(folder, "a.kvmend", 0, 2), b = shard(folder, "b.kvmend", 2, 4), bare = folder / "bare.kvmend";
  merge_stores(bare, {a}, {.redact = {"ruler/vt"}});
  // In any order into a new store: without, also where another one has them.
  for (const auto& from : {std::vector{bare, b}, std::vector{b, bare}}) {
    const auto out = folder / fmt::format("{}.kvmend", from.front().stem().string() + " first");
    CHECK(merge_stores(out, from).redacted == Tasks{"ruler/vt"});
    CHECK(in_clear(out, "ruler/vt") == 0);
    CHECK(in_clear(out, "ruler/niah_single_1") == 4);
  }
  // Into one that has them: not by the way.
  CHECK_THROWS_WITH(merge_stores(b, {bare}), Contains(bare.string() + " has no texts of ruler/vt") &&
                                                 Contains(b.string() + " has") && Contains("--redact ruler/vt"));
  CHECK(in_clear(b, "ruler/vt") == 2);
  CHECK(redacted_in(b).empty());
  merge_stores(b, {bare}, {.redact = {"ruler/vt"}});
  CHECK(in_clear(b, "ruler/vt") == 0);
  CHECK(Store::open(b, Store::Mode::read).samples().size() == 8);
}

TEST_CASE("stores of format 2 are read as they are and brought up to date by what writes") {
  const TempFolder folder;
  const auto path = shard(folder, "a.kvmend", 0, 2);
  CHECK(format_of(path) == 3);
  make_format_2(path);
  CHECK(redacted_in(path).empty());
  merge_stores(folder / "out.kvmend", {path});
  CHECK(format_of(path) == 2);
  CHECK(rescore(path).changed == 0);
  CHECK(format_of(path) == 3);
  CHECK(redacted_in(path).empty());
  CHECK(in_clear(path, "ruler/vt") == 2);
}

TEST_CASE(
    "a store that was redacted before there was a list of tasks is seen to be, and loses what was added in clear") {
  const TempFolder folder;
  const auto path = shard(folder, "a.kvmend", 0, 2);
  {
    Store store = Store::open(path, Store::Mode::write);
    const SampleRecord sample = store.sample(1);
    const std::string text = compress(redacted_text(sample.text)), tokens = pack_tokens(redacted_tokens(sample.tokens));
    Statement update = store.database().prepare(
        "UPDATE samples SET text = ?, tokens = ? WHERE position = 0 AND prompts IN "
        "(SELECT prompts FROM cells WHERE task = 'ruler/vt')");
    update.bind(as_blob(text), as_blob(tokens)).run();
  }
  make_format_2(path);
  CHECK(in_clear(path, "ruler/vt") == 1);
  CHECK(redacted_in(path) == Tasks{"ruler/vt"});
  CHECK(format_of(path) == 2);
  merge_stores(folder / "out.kvmend", {path});
  CHECK(in_clear(folder / "out.kvmend", "ruler/vt") == 0);
  { Store::open(path, Store::Mode::write); }
  CHECK(format_of(path) == 3);
  CHECK(redacted_in(path) == Tasks{"ruler/vt"});
  CHECK(in_clear(path, "ruler/vt") == 0);
  CHECK(in_clear(path, "ruler/niah_single_1") == 2);
}
