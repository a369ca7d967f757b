// What figures look like: room for the graph, labels, captions, keys, colours.
#include "experiment/plot/figure.h"

#include <regex>

#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "experiment/plot/figure_names.h"
#include "experiment/plot/plot.h"
#include "experiment/text/width.h"
#include "graded.h"
#include "tools.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

std::string script(const Filled& store, const std::string& kind,
                   const std::vector<std::pair<std::string, std::string>>& where = {}, double width = 6.5,
                   double height = 4, const std::string& value = "score") {
  PlotQuery query;
  query.kind = kind;
  query.where = where;
  query.oracle = "prophetkv";
  query.value = value;
  query.width = width;
  query.height = height;
  const auto output = store.folder / "figure.svg";
  std::string text = plot_script({store.path}, query, output);
  // gnuplot takes every script.
  if (succeeds("command -v gnuplot")) write_plot({store.path}, query, output);
  return text;
}

double number_after(const std::string& text, const std::string& words) {
  const std::size_t at = text.find(words);
  REQUIRE(at != std::string::npos);
  return std::strtod(text.c_str() + at + words.size(), nullptr);
}

/// Width and height of the first graph, as shares of the sheet.
std::pair<double, double> graph_of(const std::string& text) {
  return {number_after(text, "set rmargin at screen ") - number_after(text, "set lmargin at screen "),
          number_after(text, "set tmargin at screen ") - number_after(text, "set bmargin at screen ")};
}

/// The style in which a key shows a label's points: "pt 7 … lc rgb '#0072B2' …".
std::string point_of(const std::string& text, const std::string& label) {
  const std::size_t at = text.find("set label '" + label + "'");
  REQUIRE(at != std::string::npos);
  const std::size_t point = text.rfind(" point ", at);
  return text.substr(point + 7, text.find('\n', point) - point - 7);
}

ResultRecord scored_result(const CellRecord& cell, int position) {
  ResultRecord r = graded_result(cell, position);
  if (cell.strategy == "prophetkv") r.outcome.scores = {0, 0.01F, 0, 8, 4, 0.02F, 0, 0, 0, 0};
  return r;
}

const std::string long_label = "a label that its author made 40 letters!";  // 40
const std::string long_config =
    "name: x\nmodel: m\ntasks: [ruler/niah_single_1: {length: 2048, samples: 8}]\n"
    "strategies: [full, no_context, reuse, cacheclip: {aux_model: smollm2-135m}, prophetkv: {as: \"" +
    long_label + "\"}]\nratios: [0.05, 0.2, 0.5]\n";

const std::string chunks_config =
    "name: x\nmodel: m\ntasks: [ruler/niah_single_1: {length: 2048, samples: 8}]\n"
    "chunker: [{fixed: 64}, {fixed: 256}]\nstrategies: [full, epic, prophetkv]\nratios: [0.2]\n";

}  // namespace

TEST_CASE("long texts are shortened by letters, not bytes") {
  CHECK(display_width("größe …") == 7);
  CHECK(shorten("cacheclip", 9) == "cacheclip");
  CHECK(shorten("cacheclip (aux_model: smollm2-135m)", 24) == "cacheclip (a…ollm2-135m)");
  CHECK(shorten("ääääääääää", 5) == "ää…ää");
}

TEST_CASE("labels of 40 letters leave every kind of figure its graph") {
  const Filled store(long_config, 8, scored_result);
  const std::string shortened = shorten(long_label, 24);
  for (const char* kind : {"quality-cost", "ratio", "ttft", "niah", "crowding-out", "overlap"}) {
    CAPTURE(kind);
    const bool one = std::string(kind) == "overlap" || std::string(kind) == "niah";
    const auto where = one ? decltype(PlotQuery::where){{"ratio", "0.2"}} : decltype(PlotQuery::where){};
    const std::string text = script(store, kind, where);
    const auto [width, height] = graph_of(text);
    if (std::string(kind) == "niah") {
      CHECK(width > 0.2);  // of each of three maps in a row
      CHECK(height > 0.2);
    } else if (std::string(kind) == "overlap") {
      CHECK(width > 0.5);
      CHECK(height > 0.6);
    } else {
      CHECK(width > 0.5);
      CHECK(height > 0.6);
    }
    CHECK_THAT(text, !Contains(long_label) && !Contains("aux_model"));
    if (std::string(kind) != "crowding-out") CHECK_THAT(text, Contains("cacheclip"));
    if (std::string(kind) == "ratio") CHECK_THAT(text, Contains("set label '" + shortened + "'"));
  }
  CHECK_THAT(script(store, "ttft"), Contains("'cacheclip, 20 %%'") && Contains("'" + shortened + ", 50 %%'"));
}

TEST_CASE("parentheses stay where they tell variants apart") {
  const Filled two(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}]\n"
      "strategies: [full, prophetkv, random: {seed: 1}, epic: {last: [2, 3]}]\nratios: [0.2]\n",
      3);
  const std::string text = script(two, "ratio");
  CHECK_THAT(text, Contains("set label 'random'") && Contains("set label 'epic (last: 2)'") &&
                       Contains("set label 'epic (last: 3)'"));
  CHECK_THAT(script(two, "ratio", {{"last", "2"}}), Contains("set label 'epic'"));
}

TEST_CASE("figures do not mix chunkers in silence") {
  const Filled store(chunks_config, 8, scored_result);
  CHECK_THAT(script(store, "ttft"), Contains("'epic, 20 %%, fixed: 64'") && Contains("'epic, 20 %%, fixed: 256'"));
  const std::string niah = script(store, "niah");
  CHECK_THAT(niah, Contains("'epic, 20 %, fixed: 64'") && Contains("'epic, 20 %, fixed: 256'"));
  CHECK_THROWS_WITH(script(store, "overlap"), Contains("of one chunker; choose with --where 'chunker=fixed: 64' (there "
                                                       "are: fixed: 64; fixed: 256)"));
  const std::string overlap = script(store, "overlap", {{"chunker", "fixed: 64"}});
  CHECK_THAT(overlap, Contains("fixed: 64") && Contains("ruler/niah_single_1 · n = 8"));
}

TEST_CASE("a heat map of needles is over needles alone, and names them") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/niah_single_1: {length: 2048, samples: 6}, ruler/vt: {length: 4096, samples: "
      "6}]\nstrategies: [full, epic]\nratios: [0.2]\n",
      6);
  const std::string text = script(store, "niah");
  CHECK_THAT(text, Contains("ruler/niah_single_1 · n = 6") && !Contains("ruler/vt") && !Contains("4096"));
  CHECK_THROWS_WITH(script(store, "niah", {{"task", "ruler/vt"}}), Contains("there is nothing to plot: niah needs"));
}

TEST_CASE("a figure as wide as a paper's column has its caption and key whole") {
  const Filled store(long_config, 8, scored_result);
  for (const char* kind : {"quality-cost", "ratio", "ttft"}) {
    CAPTURE(kind);
    const std::string text = script(store, kind, {}, 3.3, std::string(kind) == "ttft" ? 3 : 2.5);
    const auto [width, height] = graph_of(text);
    CHECK(width > 0.4);
    CHECK(height > 0.3);
    // The key stands below the graph, and nothing begins outside of the sheet.
    const double bottom = number_after(text, "set bmargin at screen ");
    const std::regex places("at screen ([-0-9.]+), screen ([-0-9.]+) left");
    const double top = number_after(text, "set tmargin at screen ");
    int below = 0, above = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), places), end; at != end; ++at) {
      const double x = std::stod((*at)[1]), y = std::stod((*at)[2]);
      CHECK(x >= 0);
      CHECK(x < 1);
      CHECK(y > 0);
      CHECK(y < 1);
      below += y < bottom;
      above += y > top;
    }
    CHECK(below >= 6);                                  // strategies and what a bar is; phases and their median
    if (std::string(kind) == "ttft") CHECK(above > 1);  // the caption is broken where it is longer
  }
  CHECK_THROWS_WITH(script(store, "ttft", {}, 3.3, 1.7), Contains("9 bars do not fit in 1.7 inches; choose with"));
}

TEST_CASE("an axis reaches as far as figures and intervals do") {
  // Worse than no context: the share of the gain is negative.
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 40}]\nstrategies: [full, no_context, epic]\n"
      "ratios: [0.2]\n",
      40, scored_by([](const CellRecord& cell, int position) {
        return cell.strategy == "full" || (cell.strategy == "no_context" && position % 2 == 0);
      }));
  const std::string text = script(store, "ratio", {}, 6.5, 4, "pgr");
  TableQuery query{{"strategy"}, {"ratio"}, {"pgr"}, {}};
  const auto interval = entry(store.table(query), "pgr", "epic", "0.2").estimate.interval;
  REQUIRE(interval);
  CHECK(number_after(text, "set yrange [") < 100 * interval->lo);
  CHECK(interval->lo < -0.5);
  CHECK(number_after(script(store, "ratio"), "set yrange [") == Approx(-2));  // a line at 0 is not the axis
}

TEST_CASE("a strategy looks the same in every figure") {
  const Filled store(long_config, 8, scored_result);
  const std::string cost = script(store, "quality-cost"), ratio = script(store, "ratio");
  CHECK(point_of(cost, "cacheclip") == point_of(ratio, "cacheclip"));
  CHECK_THAT(point_of(cost, "cacheclip"), Contains("#0072B2"));
  CHECK_THAT(point_of(cost, shorten(long_label, 24)), Contains("#D55E00"));
  CHECK_THAT(point_of(cost, "full"), Contains("#000000"));
  // The key begins below the caption, at the graph's top.
  CHECK(number_after(ratio.substr(ratio.find("set label 'full'")), ", screen ") <
        number_after(ratio, "set tmargin at screen "));
  // So do references, as lines and as points.
  for (const char* name : {"full", "no_context", "reuse"}) CHECK(point_of(cost, name) == point_of(ratio, name));
  CHECK(point_of(ratio, "full") != point_of(ratio, "reuse"));
}

TEST_CASE("24 lines all look different") {
  std::string config = "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}]\nstrategies:\n";
  for (int i = 0; i < 24; ++i) config += fmt::format("  - epic: {{last: {}, as: line {}}}\n", i + 1, i);
  const Filled store(config + "ratios: [0.2, 0.4]\n", 3);
  const std::string text = script(store, "ratio");
  std::set<std::string> looks;
  for (int i = 0; i < 24; ++i) looks.insert(point_of(text, fmt::format("line {}", i)));
  CHECK(looks.size() == 24);
}

TEST_CASE("points of one cost stay where it is, their intervals beside each other") {
  const Filled store(chunks_config, 8, scored_result);
  const std::string text = script(store, "quality-cost", {{"chunker", "fixed: 64"}});
  CHECK_THAT(text, Contains("$s0 << EOD\n100 ") && Contains("$s1 << EOD\n30 ") && Contains("$s2 << EOD\n30 "));
  const double left = number_after(text, "$e1 << EOD\n"), right = number_after(text, "$e2 << EOD\n");
  CHECK(left < 30);
  CHECK(right > 30);
  CHECK(right - left < 1);  // within their symbols
  CHECK_THAT(text, Contains("set label '95 % interval'"));
}

TEST_CASE("a point that would hide another is drawn around it") {
  const Filled store(chunks_config, 8, scored_by([](const CellRecord&, int) { return 1; }));
  const std::string text = script(store, "quality-cost", {{"chunker", "fixed: 64"}});
  CHECK_THAT(text, Contains("$s1 << EOD\n30 100 0\n") && Contains("$s2 << EOD\n30 100 1\n"));
  CHECK_THAT(text, Contains("$s2 using 1:($3==1?$2:NaN) with points pt 4 ps 1.4 lc rgb '#D55E00'"));
  CHECK_THAT(point_of(text, "prophetkv"), Contains("pt 5 ps 0.8"));
}

TEST_CASE("series stand beside each other at each ratio, and the axis is around the ratios") {
  const Filled two(chunks_config, 8, scored_result);
  const std::string one = script(two, "ratio", {{"chunker", "fixed: 64"}});
  CHECK_THAT(one, Contains("set xtics ('20' 20)"));
  const double epic = number_after(one, "$s0 << EOD\n"), prophetkv = number_after(one, "$s1 << EOD\n");
  const double lo = number_after(one, "set xrange ["), hi = number_after(one, fmt::format("set xrange [{:.6g}:", lo));
  CHECK((epic + prophetkv) / 2 == Approx(20));
  CHECK(lo < 20);
  CHECK(epic - lo > 0.2 * (hi - lo));  // neither at the edge nor on top of one another
  CHECK(hi - prophetkv > 0.2 * (hi - lo));
  CHECK(prophetkv - epic > 0.05 * (hi - lo));
  const Filled many(long_config, 8, scored_result);
  const std::string three = script(many, "ratio");
  CHECK_THAT(three, Contains("set xtics ('5' 5, '20' 20, '50' 50)"));
  CHECK(number_after(three, "$s0 << EOD\n") == Approx(5).margin(2));
}
