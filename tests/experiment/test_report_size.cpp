#include <nlohmann/json.hpp>
#include <random>

#include "catch.h"
#include "experiment/report/parts.h"
#include "synthetic.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

constexpr int context = 8000;  // tokens

/// A prompt as long as benchmarks' are: random words, which pack worse than text does.
SampleRecord long_sample(const CellRecord& cell, int position) {
  SampleRecord s = synthetic_sample(cell, position);
  std::mt19937 random(static_cast<std::uint32_t>(position));
  s.text.clear();
  s.tokens = {};
  for (int i = 0; i < context + 20; ++i) {
    s.tokens.ids.push_back(static_cast<int>(random() % 50'000));
    s.tokens.begin.push_back(static_cast<std::uint32_t>(s.text.size()));
    s.text += ' ';
    for (auto letters = 2 + random() % 5; letters > 0; --letters) s.text += static_cast<char>('a' + random() % 26);
    s.tokens.end.push_back(static_cast<std::uint32_t>(s.text.size()));
  }
  s.units = {{UnitKind::prefix, 0, 200}};
  for (int begin = 200; begin < context; begin += 520)
    s.units.push_back({UnitKind::chunk, begin, std::min(context, begin + 520)});
  s.n_context = context;
  s.n_query = 20;
  s.evidence = {{3000, 3010}};
  return s;
}

/// Selections strewn over the context, as attention's are.
ResultRecord long_result(const CellRecord& cell, int position) {
  ResultRecord r = synthetic_result(cell, position);
  r.outcome.selected.clear();
  if (!cell.ratio) return r;
  std::mt19937 random(static_cast<std::uint32_t>(position) + static_cast<std::uint32_t>(1000 * *cell.ratio));
  for (int i = 0; i < context; ++i) {
    if (static_cast<double>(random() % 1000) < 1000 * *cell.ratio) r.outcome.selected.push_back(i);
  }
  return r;
}

/// A store of such samples.
struct LongPrompts {
  TempFolder folder;
  std::filesystem::path path;
  explicit LongPrompts(int samples) : path(folder / "long.kvmend") {
    Store store = Store::open(path, Store::Mode::write);
    const SyntheticRun run =
        fill_store(store,
                   "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 100}]\nstrategies: [full, reuse, "
                   "epic, cacheblend, prophetkv]\nratios: [0.05, 0.1, 0.2, 0.5]\n",
                   0, 0);
    for (int position = 0; position < samples; ++position) {
      std::vector<ResultRecord> results;
      for (const CellRecord& cell : run.cells) results.push_back(long_result(cell, position));
      store.put_sample(run.run, long_sample(run.cells.front(), position), results);
    }
  }
};

}  // namespace

TEST_CASE("prompts of 8,000 tokens have their text as far as the page's size allows, and the page says so") {
  const LongPrompts store(12);
  ReportQuery query;
  query.plots = false;
  const Report all = make_report({store.path}, query);
  CHECK(all.with_text == 12);
  // The default, 300 of them, fits into the limit: what is not of a sample is less than 0.3 MB.
  const double each = (static_cast<double>(all.html.size()) - 100'000) / 12;
  CHECK(each > 20'000);
  CHECK(300 * each < 60e6);
  query.largest = all.html.size() / 2;
  const Report half = make_report({store.path}, query);
  CHECK(half.html.size() <= query.largest);
  CHECK(half.with_text > 0);
  CHECK(half.with_text < 8);
  CHECK(half.samples == 12);
  const std::string note = fmt::format("--samples 300 became {}", half.with_text);
  CHECK_THAT(half.notes.back(), Contains(note) && Contains("larger than"));
  CHECK_THAT(half.html, Contains(note));
  const TableData data = load_table_data({store.path});
  const ReportSamples samples = report_samples({store.path}, data, query, half.html.size() * 2);
  CHECK(samples.with_text == 0);  // no room at all: scores and predictions stay
  CHECK(samples.count == 12);
}
