// Marks in tables of many comparisons.
#include <chrono>

#include "catch.h"
#include "experiment/table/marks.h"

using namespace kvmend;

namespace {

/// A cell of `n` samples that is right on those that `right` says.
TableCell cell_of(const std::string& strategy, const std::string& task, double ratio, int n,
                  const std::function<bool(int)>& right) {
  TableCell cell;
  cell.strategy = cell.record.strategy = cell.record.label = cell.record.series = strategy;
  cell.task = cell.record.task = cell.record.prompts = task;
  cell.model = cell.record.model = "m";
  cell.record.ratio = ratio;
  cell.record.canonical.set("strategy", strategy);
  cell.record.canonical.set("task", task);
  cell.record.canonical.set("ratio", ratio);
  cell.wanted = n;
  for (int i = 0; i < n; ++i) {
    Observation& o = cell.observations.emplace_back();
    o.sample = fmt::format("{}:{:09}", task, i);
    o.cluster = fmt::format("question {}", i);
    o.position = i;
    o.score = right(i) ? 1 : 0;
  }
  return cell;
}

double mean_of(const TableCell& cell) {
  double sum = 0;
  for (const Observation& o : cell.observations) sum += o.score;
  return sum / static_cast<double>(cell.observations.size());
}

/// Two strategies at many ratios: one is right on all of 40 samples, the other on 4 of them, or, at every second ratio, on 39.
TableBlock marked(int ratios) {
  std::vector<TableCell> cells;
  for (int r = 0; r < ratios; ++r) {
    cells.push_back(cell_of("good", "t", r, 40, [](int) { return true; }));
    cells.push_back(cell_of("other", "t", r, 40, [&](int i) { return i < (r % 2 ? 39 : 4); }));
  }
  std::vector<std::vector<std::vector<const TableCell*>>> at(2);
  TableBlock block{"score", true, {{}, {}}, ""};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    at[i % 2].push_back({&cells[i]});
    TableEntry entry;
    entry.estimate.value = mean_of(cells[i]);
    block.entries[i % 2].emplace_back(entry);
  }
  mark_best(block, References(cells),
            [&](std::size_t row, std::size_t col) -> const std::vector<const TableCell*>& { return at[row][col]; });
  return block;
}

}  // namespace

TEST_CASE("differences that are plain are told apart in blocks of any number of comparisons") {
  for (const int comparisons : {2, 500, 501, 1200}) {
    CAPTURE(comparisons);
    const TableBlock block = marked(comparisons);
    CHECK_THAT(block.note, Catch::Contains(fmt::format("Holm over {} comparisons", comparisons)));
    int apart = 0, close = 0;
    for (std::size_t c = 0; c < block.entries[1].size(); ++c) {
      CHECK(block.entries[0][c]->mark == Mark::best);
      apart += block.entries[1][c]->mark == Mark::apart && c % 2 == 0;
      close += block.entries[1][c]->mark == Mark::close && c % 2 == 1;
    }
    CHECK(apart == (comparisons + 1) / 2);
    CHECK(close == comparisons / 2);
  }
}

TEST_CASE("100,000 results in 560 comparisons make a table in under a second", "[.slow]") {
  TableData data;
  std::size_t results = 0;
  for (int strategy = 0; strategy < 8; ++strategy) {
    for (int task = 0; task < 8; ++task) {
      for (int ratio = 1; ratio <= 10; ++ratio) {
        data.cells.push_back(
            cell_of(fmt::format("s{}", strategy), fmt::format("t{}", task), 0.05 * ratio, 160, [&](int i) {
              auto h = static_cast<std::uint32_t>(((i * 8 + strategy) * 8 + task) * 10 + ratio) * 2654435761U;
              h = (h ^ (h >> 15)) * 2246822519U;
              return static_cast<int>((h >> 8) % 100) < 95 - 10 * strategy;
            }));
        results += data.cells.back().observations.size();
      }
    }
  }
  CHECK(results >= 100'000);
  const auto begin = std::chrono::steady_clock::now();
  const Table table = make_table(data, {{"strategy", "task"}, {"ratio"}, {"score"}, {}});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  CHECK_THAT(table.blocks[0].note, Catch::Contains("Holm over 560 comparisons"));
  int apart = 0;
  for (const auto& row : table.blocks[0].entries) {
    for (const auto& entry : row) apart += entry && entry->mark == Mark::apart;
  }
  CHECK(apart > 300);  // from 20 points on, in pairs of 160
  WARN(fmt::format("{} results in {:.2f} s", results, seconds));
  CHECK(seconds < 1);
}
