// The matrix of how much strategies select the same.
#include "catch.h"
#include "core/file.h"
#include "experiment/plot/plot.h"
#include "graded.h"
#include "tools.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

std::string script(const Filled& store) {
  PlotQuery query;
  query.kind = "overlap";
  const auto output = store.folder / "figure.svg";
  if (succeeds("command -v gnuplot")) write_plot({store.path}, query, output);
  return plot_script({store.path}, query, output);
}

/// random shares one token of four with prophetkv, epic none with either.
ResultRecord chosen(const CellRecord& cell, int position) {
  ResultRecord r = synthetic_result(cell, position);
  r.outcome.selected = {0, 1, 2};
  if (cell.strategy == "random") r.outcome.selected = {0, 7};
  if (cell.strategy == "epic") r.outcome.selected = {4, 5};
  return r;
}

}  // namespace

TEST_CASE("a matrix's colours are for overlaps of two, and its columns have names") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}]\nstrategies: [full, random, epic, prophetkv]\nratios: "
      "[0.2]\n",
      3, chosen);
  const std::string text = script(store);
  CHECK_THAT(text, Contains("set cbrange [0:25]\nset cbtics 5\n"));
  CHECK_THAT(text, Contains("$m << EOD\n0 1 0\n0 2 25\n1 0 0\n1 2 0\n2 0 25\n2 1 0\nEOD"));
  CHECK_THAT(text, Contains("$d << EOD\n0 0\n1 1\n2 2\nEOD"));
  for (const char* name : {"random", "epic", "prophetkv"}) {
    CHECK_THAT(text, Contains(fmt::format("set label '{}' at screen", name)));
  }
  CHECK_THAT(text, Contains("set label '25' at 0,2 center front font small tc rgb '#000000'"));
  CHECK_THAT(text, Contains("set label '0' at 0,1 center front font small tc rgb '#ffffff'"));
}

TEST_CASE("names that are wider than a field stand upright beneath it") {
  std::string config = "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}]\nstrategies:\n";
  for (int i = 0; i < 9; ++i) config += fmt::format("  - epic: {{last: {}, as: quite a long name {}}}\n", i + 1, i);
  const Filled store(config + "ratios: [0.2]\n", 3, chosen);
  CHECK_THAT(script(store), Contains("set label 'quite a long name 8' at screen") && Contains("right rotate by 90"));
}
