#include "experiment/plot/plot.h"

#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "graded.h"
#include "tools.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

PlotQuery of(const std::string& kind) {
  PlotQuery query;
  query.kind = kind;
  return query;
}

std::string script(const Filled& store, const PlotQuery& query) { return plot_script({store.path}, query, "x.svg"); }

std::string error_of(const Filled& store, const PlotQuery& query, const std::string& output = "x.svg") {
  try {
    plot_script({store.path}, query, output);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "";
}

/// Everything that any kind shows: two chunk sizes, depths and lengths, an oracle's scores.
const std::string rich_config =
    "name: x\nmodel: m\ntasks: [ruler/niah_single_1: {length: [2048, 4096], samples: 12}]\n"
    "chunker: [{fixed: 64}, {fixed: 256}]\nstrategies: [full, no_context, epic, prophetkv]\nratios: [0.2, 0.4]\n";

PlotQuery rich_query(const std::string& kind) {
  PlotQuery query = of(kind);
  query.oracle = "prophetkv";
  if (kind != "chunk-size") query.where = {{"chunker", "fixed: 64"}};
  if (kind == "overlap") query.where.emplace_back("ratio", "0.4");
  return query;
}

}  // namespace

TEST_CASE("every kind of plot is drawn in every format") {
  if (!has_program("gnuplot")) return;
  const Filled store(rich_config, 12, graded_oracle_result);
  for (const auto& kind : plot_kinds()) {
    CAPTURE(kind.name);
    const std::pair<const char*, const char*> formats[] = {{".svg", "<?xml"}, {".png", "\x89PNG"}, {".pdf", "%PDF"}};
    for (const auto& [suffix, magic] : formats) {
      const auto file = store.folder / ("plot-" + kind.name + suffix);
      write_plot({store.path}, rich_query(kind.name), file);
      CHECK_THAT(read_file(file), Catch::StartsWith(magic));
    }
    const auto text = read_file(store.folder / ("plot-" + kind.name + ".svg"));
    CHECK_THAT(text, Contains("prophetkv"));
  }
  // Nothing is left beside the figures.
  for (const auto& entry : std::filesystem::directory_iterator(store.folder.path()))
    CHECK_THAT(entry.path().filename().string(), Catch::StartsWith("plot-") || Catch::StartsWith("a.kvmend"));
}

TEST_CASE("quality against cost has each figure's place and interval") {
  const Filled store;
  const std::string text = script(store, of("quality-cost"));
  CHECK_THAT(text, Contains("mean of 2 tasks: ruler/niah_single_1, ruler/vt · n = 60'"));
  CHECK_THAT(text, Contains("\n30 60 ") && Contains("\n60 90 "));  // prophetkv: FLOPs, score; where random is
  CHECK_THAT(text, Contains(" 48.333") && Contains(" 0 23.333"));  // its interval, as a bar
  CHECK_THAT(script(store, of("ratio")), Contains("set label 'full'"));
  PlotQuery pgr = of("ratio");
  pgr.value = "pgr";
  CHECK_THAT(script(store, pgr), Contains("share of full prefill"));
}

TEST_CASE("a plot of one sample refuses the interval instead of faking one") {
  const Filled store(synthetic_config, 1);
  for (const char* kind : {"quality-cost", "ratio"}) {
    const std::string text = script(store, of(kind));
    CHECK_THAT(text, Contains("n = 2") && Contains("no intervals: too few questions'"));  // a line may end between
    CHECK_THAT(text, !Contains("vectors"));
  }
  if (has_program("gnuplot")) write_plot({store.path}, of("ratio"), store.folder / "one.png");
}

TEST_CASE("heat maps that no figure holds are refused with what to choose") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/niah_single_1: {length: 2048, samples: 3}]\n"
      "strategies: [full, epic, prophetkv]\nratios: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]\n",
      3);
  PlotQuery query = of("niah");
  CHECK_THAT(error_of(store, query), Contains("15 heat maps") && Contains("e.g. --where ratio=0.1"));
  query.where = {{"ratio", "0.2"}};
  CHECK_THAT(script(store, query), Contains("'prophetkv, 20 %'") && Contains("'100 %%' 10"));
}

TEST_CASE("a filter that is advised leaves maps that fit") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/niah_single_1: {length: 2048, samples: 3}]\n"
      "chunker: [{fixed: 64}, {fixed: 256}]\nstrategies: [full, no_context, epic: {k: [2, 8]}, "
      "prophetkv: {fusion: [mean, max]}, random]\nratios: [0.1, 0.2]\n",
      3, synthetic_result);
  PlotQuery query = of("niah");
  // A ratio alone leaves 14: those that have none stay.
  CHECK_THAT(error_of(store, query), Contains("20 heat maps") && Catch::EndsWith("e.g. --where 'chunker=fixed: 64'"));
  query.where = {{"chunker", "fixed: 64"}};
  CHECK_THAT(script(store, query), Contains("'epic (k: 8)'"));
  // Here a chunker alone leaves 17.
  const Filled more(
      "name: x\nmodel: m\ntasks: [ruler/niah_single_1: {length: 2048, samples: 2}]\n"
      "chunker: [{fixed: 64}, {fixed: 256}]\nstrategies: [full, prophetkv: {fusion: [mean, max]}, random, epic]\n"
      "ratios: [0.1, 0.2, 0.3, 0.4]\n",
      2, synthetic_result);
  query.where.clear();
  CHECK_THAT(error_of(more, query), Contains("34 heat maps") && Contains("e.g. --where ratio=0.1"));
  query.where = {{"ratio", "0.1"}};
  CHECK_THAT(script(more, query), Contains("$m9 << EOD") && !Contains("$m10 << EOD"));
  PlotQuery bars = of("ttft");
  bars.height = 2.5;
  CHECK_THAT(error_of(more, bars), Contains("34 bars do not fit in 2.5 inches; choose with --where, e.g. --where "));
}

TEST_CASE("what a store lacks for a plot is said") {
  const Filled store;
  CHECK_THAT(error_of(store, of("qality-cost")), Contains("unknown plot 'qality-cost'; did you mean 'quality-cost'?"));
  CHECK_THAT(error_of(store, of("chunk-size")), Contains("needs results over two chunk sizes or more"));
  // Once, and with what to add.
  CHECK_THAT(error_of(store, of("crowding-out")), Contains("needs oracle_attention with its scores in the store") &&
                                                      Contains("add oracle_attention to strategies") &&
                                                      !Contains("nothing to show"));
  CHECK_THAT(error_of(store, of("overlap")), Contains("choose it with --where ratio=0.2"));
  CHECK_THAT(error_of(store, of("ratio"), "x.jpg"), Contains("written as .svg, .png or .pdf"));
  CHECK_THROWS_WITH(write_plot({store.path}, of("ratio"), store.folder / "x.jpg"),
                    Catch::StartsWith((store.folder / "x.jpg: ").string()));
  PlotQuery seconds = of("ratio");
  seconds.value = "ttft";
  CHECK_THAT(error_of(store, seconds), Contains("'ttft' cannot be plotted"));
  const Filled references("name: x\nmodel: m\ntasks: [ruler/vt: {samples: 3}]\nstrategies: [full, no_context]\n", 3);
  CHECK_THAT(error_of(references, of("ratio")), Contains("no strategy has a ratio"));
}

TEST_CASE("labels that gnuplot would read as code stay text") {
  const Filled store(
      "name: x\nmodel: \"it's a_b{c} %d\"\ntasks: [ruler/vt: {samples: 6}]\n"
      "strategies: [full, epic: {as: \"50 % 'x' \\\"y\\\" \\\\ `ls`\"}, prophetkv]\nratios: [0.4]\n",
      6);
  CHECK_THAT(script(store, of("ratio")), Contains("'50 % ''x'' \"y\" \\ `ls`'"));
  if (!has_program("gnuplot")) return;
  const std::pair<const char*, const char*> own[] = {{"ratio", "<text>recomputation ratio, %"},
                                                     {"overlap", "<text>Jaccard overlap of selections at 40 %"},
                                                     {"ttft", "<text>time to first token in ms, median"}};
  for (const auto& [kind, words] : own) {
    CAPTURE(kind);
    write_plot({store.path}, of(kind), store.folder / "hostile.svg");
    CHECK_THAT(read_file(store.folder / "hostile.svg"), Contains(words) && Contains("`ls`"));
  }
}

TEST_CASE("without gnuplot the script can still be written") {
  const Filled store;
  write_plot({store.path}, of("ratio"), store.folder / "ratio.gp");
  CHECK_THAT(read_file(store.folder / "ratio.gp"), Contains("set output") && Contains("ratio.svg"));
  const Environment bare("PATH", store.folder.path().string());
  CHECK_THROWS_WITH(write_plot({store.path}, of("ratio"), store.folder / "ratio.svg"),
                    Contains("gnuplot is not installed"));
  CHECK_FALSE(std::filesystem::exists(store.folder / "ratio.svg"));
}

TEST_CASE("references are lines over the whole width, their intervals bars at its end") {
  const Filled store;
  const std::string text = script(store, of("ratio"));
  const Table table = store.table({{"strategy"}, {"ratio"}, {"score"}, {}});
  for (const std::string name : {"full", "no_context"}) {
    CAPTURE(name);
    const auto& estimate = entry(table, "score", name, "").estimate;
    REQUIRE(estimate.interval);
    const double lo = 100 * estimate.interval->lo, hi = 100 * estimate.interval->hi;
    CHECK_THAT(text, Contains(fmt::format("{:.6g} with lines lc rgb", 100 * estimate.value)));
    CHECK_THAT(text, Contains(fmt::format(" {:.6g} 0 {:.6g}\nEOD", lo, hi - lo)));
  }
  // Beside each other, right of the last ratio's points.
  const double full = std::strtod(text.c_str() + text.find("$b0 << EOD\n") + 11, nullptr);
  const double none = std::strtod(text.c_str() + text.find("$b1 << EOD\n") + 11, nullptr);
  CHECK(full > 50);
  CHECK(none > full);
  CHECK_THAT(text, !Contains("set object"));
  const Filled one(synthetic_config, 1);
  CHECK_THAT(script(one, of("ratio")), Contains("$l0 << EOD") && !Contains("$b0 << EOD"));
}

TEST_CASE("bars of times name the phases that took time, and the median is none of them") {
  const Filled store;
  const std::string text = script(store, of("ttft"));
  for (const char* title : {"place", "select", "recompute", "query", "first token", "median TTFT"})
    CHECK_THAT(text, Contains(fmt::format("set label '{}'", title)));
  CHECK_THAT(text, !Contains("set label 'load'") && !Contains("#999999"));
  CHECK_THAT(text, Contains("fc rgb '#009E73'") && !Contains("fc rgb '#000000'"));
  CHECK_THAT(text, Contains("$t using 1:2 with points pt 13"));
}

TEST_CASE("an approximation is called one in every legend") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/niah_single_1: {length: [2048, 4096], samples: 3}]\nratios: [0.4]\n"
      "chunker: [{fixed: 64}, {fixed: 256}]\nstrategies: [full, no_context, epic, kvshare, samkv, prophetkv]\n",
      3, graded_oracle_result);
  for (const auto& kind : plot_kinds()) {
    CAPTURE(kind.name);
    const std::string text = script(store, rich_query(kind.name));
    CHECK_THAT(text, Contains("kvshare (approximation)") && Contains("samkv (SamKV-style)"));
    CHECK_THAT(text, !Contains("epic ("));
  }
}
