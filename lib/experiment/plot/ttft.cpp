// Time to first token by phase: a bar a strategy and ratio.
#include <algorithm>

#include "core/error.h"
#include "experiment/plot/advice.h"
#include "experiment/plot/figure_names.h"
#include "experiment/plot/gnuplot.h"
#include "experiment/plot/kinds.h"
#include "experiment/table/cells.h"
#include "experiment/text/width.h"

namespace kvmend {
namespace {

struct Phase {
  const char *value, *title, *colour;
};
// Okabe and Ito's colours, in an order that keeps neighbours apart in grey, too.
constexpr Phase phases[] = {{"load", "load", "#999999"},     {"place", "place", "#56B4E9"},
                            {"select", "select", "#D55E00"}, {"recompute", "recompute", "#0072B2"},
                            {"query", "query", "#E69F00"},   {"first_token", "first token", "#009E73"}};

// A bar's end is the sum of the phases' medians, which need not be the median of their sums: a symbol that is no phase's.
constexpr const char* median_style = "pt 13 ps 0.6 lc rgb '#000000'";

struct Bar {
  std::string strategy, rest;
  std::vector<double> ms;  ///< of each phase
  Estimate ttft;
};

std::vector<Bar> bars_of(const Table& table) {
  std::vector<Bar> bars;
  const std::size_t total = std::size(phases);
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    for (std::size_t c = 0; c < table.cols.size(); ++c) {
      const auto& ttft = table.blocks[total].entries[r][c];
      if (!ttft) continue;
      Bar& bar = bars.emplace_back();
      bar.strategy = table.rows[r][0];
      if (!table.cols[c][0].empty()) bar.rest += ", " + heading("ratio", table.cols[c][0]);
      for (std::size_t d = 1; d < table.rows[r].size(); ++d)
        bar.rest += ", " + heading(table.row_dimensions[d], table.rows[r][d]);
      for (std::size_t p = 0; p < total; ++p) {
        const auto& entry = table.blocks[p].entries[r][c];
        bar.ms.push_back(entry ? 1000 * entry->estimate.value : 0);
      }
      bar.ttft = ttft->estimate;
    }
  }
  return bars;
}

}  // namespace

std::string plot_ttft(const PlotInput& input) {
  TableQuery query{{"strategy"}, {"ratio"}, {}, input.query.where};
  query.mark = false;
  for (const Phase& phase : phases) query.values.emplace_back(phase.value);
  query.values.emplace_back("ttft");
  const Table table = make_table(input.data, query);
  const auto cells = filter_cells(input.data, query);
  const std::vector<Bar> bars = bars_of(table);
  if (bars.empty()) fail(ErrorKind::usage, "there is nothing to plot: no result has times");
  const bool shared = std::any_of(cells.begin(), cells.end(), [](const TableCell* cell) {
    return std::any_of(cell->observations.begin(), cell->observations.end(),
                       [](const Observation& o) { return o.shared_timing; });
  });
  const Figure& figure = input.figure;
  std::size_t rest = 0;
  for (const Bar& bar : bars) rest = std::max(rest, display_width(bar.rest));
  const auto room = static_cast<std::size_t>(0.4 * figure.width() / figure.small_letter());
  const FigureNames names(cells, std::clamp<std::size_t>(room - std::min(room, rest), 8, 24));

  std::string tics, totals, intervals;
  std::vector<std::string> fields(std::size(phases));
  std::size_t longest = 0;
  double most = 0;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const std::string label = names[bars[i].strategy] + bars[i].rest;
    longest = std::max(longest, display_width(label));
    tics += fmt::format("{}{} {}", i ? ", " : "", gnuplot::tic_label(label), i);
    double from = 0;
    const double y = static_cast<double>(i);
    for (std::size_t p = 0; p < fields.size(); from += bars[i].ms[p], ++p)
      fields[p] += fmt::format("{} {} {:.6g} {:.6g} {} {}\n", from, y, from, from + bars[i].ms[p], y - 0.36, y + 0.36);
    const double ttft = 1000 * bars[i].ttft.value;
    totals += fmt::format("{:.6g} {}\n", ttft, y);
    most = std::max({most, from, ttft});
    if (const auto& interval = bars[i].ttft.interval) {
      intervals += fmt::format("{:.6g} {} {:.6g} 0\n", 1000 * interval->lo, y, 1000 * (interval->hi - interval->lo));
      most = std::max(most, 1000 * interval->hi);
    }
  }
  std::vector<KeyEntry> key;
  std::vector<std::size_t> shown;  // phases that took time enough to be seen
  for (std::size_t p = 0; p < fields.size(); ++p) {
    if (std::none_of(bars.begin(), bars.end(), [&](const Bar& bar) { return bar.ms[p] > 0.001 * most; })) continue;
    shown.push_back(p);
    key.push_back({phases[p].title, "", "", phases[p].colour, ""});
  }
  key.push_back({"median TTFT", "", median_style, "", ""});
  if (!intervals.empty()) key.push_back({"its 95 % interval", "lc rgb '#000000' lw 1.4 dt 1", "", "", ""});
  Frame frame{(static_cast<double>(longest) + 2.5) * figure.small_letter(), 0.2, 0, figure.axes().bottom};
  std::string out =
      figure.caption("TTFT by phase, medians · " + plot_caption(table, {"ttft"}) +
                         (shared ? " · read off a sweep that shares work (bench select measures each alone)" : ""),
                     frame);
  out += figure.key(key, frame);
  const double needed = static_cast<double>(bars.size()) * 0.8 * figure.small_line();
  if (const double there = figure.height() - frame.top - frame.bottom; there < needed)
    fail(ErrorKind::usage, "{} bars do not fit in {} inches; choose with --where, e.g. {}, or give --height {:.1f}",
         bars.size(), figure.height(),
         fitting_where(cells, varying_dimensions(table),
                       static_cast<std::size_t>(std::max(1.0, there / (0.8 * figure.small_line()))),
                       [&](const auto& left) { return group_cells(left, table).size(); }),
         figure.height() + needed - there + 0.1);
  out += figure.axis_names("time to first token in ms, median", "", frame);
  out += figure.place(frame, fmt::format("{} bars", bars.size()));
  out += fmt::format(
      "unset grid\nset grid xtics lc rgb '#e4e4e4' lt 1 lw 0.6\n"
      "set xrange [0:{:.6g}]\nset yrange [{}:-0.5]\nset ytics ({}) scale 0 font small\n",
      most > 0 ? 1.04 * most : 1, static_cast<double>(bars.size()) - 0.5, tics);
  std::string plots;
  for (const std::size_t p : shown) {
    out += gnuplot::block(fmt::format("p{}", p), fields[p]);
    plots += fmt::format("$p{} using 1:2:3:4:5:6 with boxxyerror fs solid noborder lc rgb '{}' notitle, \\\n     ", p,
                         phases[p].colour);
  }
  // White beneath black: it is seen on every phase.
  if (!intervals.empty()) {
    out += gnuplot::block("i", intervals);
    plots +=
        "$i using 1:2:3:4 with vectors nohead lc rgb '#ffffff' lw 3.5 notitle, \\\n     "
        "$i using 1:2:3:4 with vectors nohead lc rgb '#000000' lw 1.4 notitle, \\\n     ";
  }
  out += gnuplot::block("t", totals);
  plots += fmt::format(
      "$t using 1:2 with points pt 13 ps 0.95 lc rgb '#ffffff' notitle, \\\n     "
      "$t using 1:2 with points {} notitle",
      median_style);
  return out + "plot " + plots + "\n";
}

}  // namespace kvmend
