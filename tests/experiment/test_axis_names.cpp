// The names of a figure's axes: whole, in every format's file and in reports.
#include "catch.h"
#include "core/file.h"
#include "experiment/plot/plot.h"
#include "experiment/report/report.h"
#include "graded.h"
#include "tools.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

const std::string config =
    "name: x\nmodel: m\ntasks: [ruler/niah_single_1: {length: 2048, samples: 12}]\n"
    "chunker: [{fixed: 64}, {fixed: 256}]\nstrategies: [full, no_context, epic, prophetkv]\nratios: [0.2, 0.4]\n";

std::string svg_of(const Filled& store, const std::string& kind, double width = 6.5) {
  PlotQuery query;
  query.kind = kind;
  query.oracle = "prophetkv";
  query.width = width;
  const auto file = store.folder / "figure.svg";
  write_plot({store.path}, query, file);
  return read_file(file);
}

/// Where an SVG's text stands, in its pixels.
std::pair<double, double> place_of(const std::string& svg, const std::string& text) {
  const std::size_t at = svg.find("<text>" + text);
  INFO(text);
  REQUIRE(at != std::string::npos);
  const char* place = svg.c_str() + svg.rfind("translate(", at) + 10;
  char* rest = nullptr;
  const double x = std::strtod(place, &rest);
  return {x, std::strtod(rest + 1, nullptr)};
}

}  // namespace

TEST_CASE("an SVG has both axes' names, inside of its sheet") {
  if (!has_program("gnuplot")) return;
  const Filled store(config, 12, graded_oracle_result);
  const struct {
    const char *kind, *x, *y;
  } figures[] = {{"quality-cost", "FLOPs to the first token, % of full prefill", "score × 100"},
                 {"ratio", "recomputation ratio, %", "score × 100"},
                 {"crowding-out", "recomputation ratio, %", "selection outside"},
                 {"chunk-size", "tokens a chunk", "score × 100"},
                 {"ttft", "time to first token in ms, median", ""}};
  for (const auto& figure : figures) {
    CAPTURE(figure.kind);
    const std::string svg = svg_of(store, figure.kind);
    const double below = place_of(svg, figure.x).second;
    CHECK(below > 200);
    CHECK(below < 397);  // of 400: what hangs below the line is inside, too
    if (!*figure.y) continue;
    // Turned, its letters lie left of its place, by most of the 12 pixels they are high.
    const double left = place_of(svg, figure.y).first;
    CHECK(left > 10);
    CHECK(left < 30);
  }
}

TEST_CASE("a name that is longer than its axis takes two lines") {
  if (!has_program("gnuplot")) return;
  const Filled store(config, 12, graded_oracle_result);
  const std::string narrow = svg_of(store, "quality-cost", 2.8);
  const double first = place_of(narrow, "FLOPs to the first").second,
               last = place_of(narrow, "token, % of full prefill").second;
  CHECK(first < last - 8);
  CHECK(last < 397);
}

TEST_CASE("a report's figures have their axes' names") {
  if (!has_program("gnuplot")) return;
  const Filled store;
  const std::string html = make_report({store.path}, {}).html;
  for (const char* name : {"FLOPs to the first token, % of full prefill", "score × 100", "recomputation ratio, %",
                           "time to first token in ms, median"}) {
    CHECK_THAT(html, Contains(fmt::format("<text>{}</text>", name)));
  }
}
