// Strategies whose parameters fix how much they recompute: points of one line, and no references.
#include "catch.h"
#include "core/error.h"
#include "experiment/plot/plot.h"
#include "graded.h"
#include "tools.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

const std::string config =
    "name: x\nmodel: m\ntasks: [ruler/niah_single_1: {length: 2048, samples: 8}]\n"
    "strategies: [full, no_context, reuse, epic: {k: [2, 4, 8, 16, 32]}, epic: {as: \"epic 8+8\", k: 8, last: 8}, "
    "prophetkv]\nratios: [0.15]\n";

/// EPIC's k of 100 tokens a chunk.
ResultRecord fixed_result(const CellRecord& cell, int position) {
  ResultRecord r = synthetic_result(cell, position);
  if (cell.strategy == "prophetkv") r.outcome.scores = {0, 0.01F, 0, 8, 4, 0.02F, 0, 0, 0, 0};
  if (cell.strategy != "epic") return r;
  const std::size_t at = cell.label.find("k: ");
  const double k = at == std::string::npos ? 8 : std::strtod(cell.label.c_str() + at + 3, nullptr);
  r.outcome.effective_ratio = k / 100;
  r.outcome.flops_ratio = k / 100 + 0.1;
  r.outcome.selected = {0, 3};
  return r;
}

std::string script(const Filled& store, const std::string& kind) {
  PlotQuery query;
  query.kind = kind;
  query.oracle = "prophetkv";
  const auto output = store.folder / "figure.svg";
  if (succeeds("command -v gnuplot")) write_plot({store.path}, query, output);
  return plot_script({store.path}, query, output);
}

}  // namespace

TEST_CASE("variants that differ in one number are points of one line") {
  const Filled store(config, 8, fixed_result);
  const std::string text = script(store, "quality-cost");
  CHECK_THAT(text, Contains("set label 'epic (k: 2 to 32)'") && !Contains("set label 'epic (k: 2)'"));
  CHECK_THAT(text, Contains("$s3 << EOD\n12 50 0\n14 50 0\n18 50 0\n26 50 0\n42 50 0\nEOD"));
  CHECK_THAT(text, Contains("$s3 using 1:2 with lines lc rgb '#0072B2'"));
  CHECK_THAT(text, Contains("set label '2' at 12, 50 left") && Contains("set label '32' at 42, 50 left"));
  CHECK_THAT(text, Contains("set label 'epic 8+8'"));  // a name of the config's own is a series of its own
}

TEST_CASE("only references are drawn as references") {
  const Filled store(config, 8, fixed_result);
  for (const char* kind : {"quality-cost", "ratio"}) {
    CAPTURE(kind);
    const std::string text = script(store, kind);
    int black = 0;
    for (const char* grey : {"lc rgb '#000000'", "lc rgb '#777777'", "lc rgb '#A0A0A0'"})
      black += text.find(grey) != std::string::npos;
    CHECK(black == 3);
    CHECK_THAT(text, !Contains("lc rgb '#505050'"));  // full, no_context, reuse: there is no fourth
  }
}

TEST_CASE("a strategy without a ratio stands at the one it came to") {
  const Filled store(config, 8, fixed_result);
  const std::string text = script(store, "ratio");
  CHECK_THAT(text, Contains("recomputation ratio, % (effective where none is set)"));
  CHECK_THAT(text, Contains("$s0 << EOD\n2 50 0\n4 50 0\n8 50 0\n16 50 0\n32 50 0\nEOD"));
  CHECK_THAT(text, Contains("set xtics ('15' 15)"));
  CHECK_THAT(script(store, "crowding-out"), Contains("set label 'epic (k: 2 to 32)'") && Contains("$s0 << EOD\n2 "));
}

TEST_CASE("variants over chunk sizes are a line each, of one colour") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 6}]\nchunker: [{fixed: 64}, {fixed: 256}]\n"
      "strategies: [full, epic: {k: [2, 8]}]\nratios: [0.2]\n",
      6, fixed_result);
  const std::string text = script(store, "chunk-size");
  CHECK_THAT(text, Contains("set label 'epic (k: 2)'") && Contains("set label 'epic (k: 8)'"));
  CHECK_THAT(text, Contains("pt 7 ps 0.8 lc rgb '#0072B2'") && Contains("pt 5 ps 0.8 lc rgb '#0072B2'"));
  const std::string cost = script(store, "quality-cost");
  CHECK_THAT(cost,
             Contains("set label 'epic (k: 2, 8), fixed: 64'") && Contains("set label 'epic (k: 2, 8), fixed: 256'"));
}
