// Plots of lines: quality against cost, ratio and chunk size; crowding-out.
#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "experiment/plot/figure_names.h"
#include "experiment/plot/kinds.h"
#include "experiment/plot/line_plot.h"
#include "experiment/table/cells.h"
#include "experiment/table/value.h"
#include "experiment/text/width.h"

namespace kvmend {
namespace {

Table table_of(const PlotInput& input, std::vector<std::string> rows, std::vector<std::string> cols,
               std::vector<std::string> values) {
  TableQuery query{std::move(rows), std::move(cols), std::move(values), input.query.where};
  query.mark = false;
  return make_table(input.data, query);
}

Point point_at(double x, const TableEntry& entry) {
  Point out{x, 100 * entry.estimate.value, {}};
  if (const auto& i = entry.estimate.interval) out.interval = Interval{100 * i->lo, 100 * i->hi};
  return out;
}

std::string y_label(const std::string& value) {
  if (!is_known_value(value) || !is_quality_value(value))
    fail(ErrorKind::usage, "--value: '{}' cannot be plotted; use score, pgr or score_solved", value);
  return value == "pgr"     ? "share of full prefill's gain, %"
         : value == "score" ? "score × 100"
                            : "score × 100 where full is right";
}

/// Throws Error(usage) where there are no points: `what` is why, and the table's last words where those say more.
void require_points(const std::vector<Series>& series, const Table& table, const std::string& what) {
  if (!series.empty()) return;
  const std::string reason = table.warnings.empty() || is_selection_value(table.blocks.front().value)
                                 ? ""  // a selection's value lacks what `what` says
                                 : ": " + table.warnings.back();
  fail(ErrorKind::usage, "there is nothing to plot: {}{}", what, reason);
}

/// Series without points, and each row's: rows begin with the strategy.
struct RowLines {
  std::vector<Series> series;
  std::vector<std::size_t> of_row;
  std::vector<std::string> names;  ///< what a row's points are called on a line of several rows
};

/// A series a row; joined, one for all rows of a strategy whose parameter fixes how much it recomputes.
RowLines lines_of(const PlotInput& input, const Table& table, bool joined) {
  TableQuery query;
  query.where = input.query.where;
  const FigureNames names(filter_cells(input.data, query));
  std::map<std::pair<bool, std::size_t>, std::size_t> variants;
  std::map<std::string, std::size_t> lines;
  RowLines out;
  for (const auto& row : table.rows) {
    const std::string line = joined ? names.line(row[0]) : "";
    std::string rest;
    for (std::size_t d = 1; d < row.size(); ++d) {
      if (table.row_dimensions[d] != "ratio" || !row[d].empty())
        rest += ", " + heading(table.row_dimensions[d], row[d]);
    }
    out.names.push_back(line.empty() ? "" : names.number(row[0]));
    if (!line.empty() && lines.contains(line + rest)) {
      out.of_row.push_back(lines[line + rest]);
      continue;
    }
    out.of_row.push_back(out.series.size());
    if (!line.empty()) lines[line + rest] = out.series.size();
    Series& s = out.series.emplace_back();
    s.label = (line.empty() ? names[row[0]] : line) + rest;
    s.place = names.place(row[0]);
    s.reference = names.is_reference(row[0]);
    s.variant = variants[{s.reference, s.place}]++;
    s.measured = joined && names.is_fixed(row[0]);
  }
  return out;
}

/// Points from left to right, series without any left out.
void tidy(std::vector<Series>& series) {
  std::erase_if(series, [](const Series& s) { return s.points.empty(); });
  for (Series& s : series)
    std::sort(s.points.begin(), s.points.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
}

/// Series over the ratio, and references as levels. Whoever has no ratio to choose stands at the one it came to.
void over_ratio(const PlotInput& input, const Table& table, LinePlot& plot) {
  RowLines lines = lines_of(input, table, true);
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    Series& line = lines.series[lines.of_row[r]];
    for (const auto& entry : table.blocks[0].entries[r]) {
      if (!entry) continue;
      if (line.reference) {
        plot.levels.push_back(line);
        plot.levels.back().points = {point_at(0, *entry)};
      } else {
        line.points.push_back(point_at(100 * entry->ratio.value_or(entry->effective_ratio), *entry));
        line.points.back().name = lines.names[r];
      }
    }
  }
  tidy(lines.series);
  plot.series = std::move(lines.series);
  plot.x_label = "recomputation ratio, %";
  if (std::any_of(plot.series.begin(), plot.series.end(), [](const Series& s) { return s.measured; }))
    plot.x_label += " (effective where none is set)";
}

LinePlot labelled(const Table& table, const std::string& x, const std::string& y) {
  LinePlot plot;
  plot.caption = plot_caption(table, {table.blocks.front().value});
  plot.x_label = x;
  plot.y_label = y;
  return plot;
}

}  // namespace

std::string plot_caption(const Table& table, const std::vector<std::string>& values) {
  constexpr std::size_t most = 160;  // letters that tasks' names may take
  std::string out;
  const auto head = table_head(table);
  const bool name_tasks = table.tasks.size() == 1 || head.empty() || display_width(head.back()) <= most;
  for (std::size_t i = 0; i < head.size(); ++i) {
    const bool count = i + 1 == head.size() && !name_tasks;
    out += (out.empty() ? "" : " · ") + (count ? fmt::format("mean of {} tasks", table.tasks.size()) : head[i]);
  }
  std::set<int> counts;
  int without = 0, figures = 0;
  for (const auto& block : table.blocks) {
    if (std::find(values.begin(), values.end(), block.value) == values.end()) continue;
    for (const auto& row : block.entries) {
      for (const auto& entry : row) {
        if (!entry) continue;
        counts.insert(entry->estimate.n);
        ++figures;
        without += !entry->estimate.interval;
      }
    }
  }
  if (counts.size() == 1) out += fmt::format(" · n = {}", *counts.begin());
  if (counts.size() > 1) out += fmt::format(" · n = {} to {}", *counts.begin(), *counts.rbegin());
  if (values == std::vector<std::string>{"n"}) return out;  // counts have no intervals
  if (figures > 0 && without == figures) out += " · no intervals: too few questions";
  if (without > 0 && without < figures) out += fmt::format(" · {} of {} without an interval", without, figures);
  return out;
}

std::string plot_quality_cost(const PlotInput& input) {
  const std::string y = y_label(input.query.value);
  const Table table = table_of(input, {"strategy"}, {"ratio"}, {input.query.value, "flops_ratio"});
  const TableBlock &scores = table.blocks[0], &costs = table.blocks[1];
  LinePlot plot = labelled(table, "FLOPs to the first token, % of full prefill", y);
  RowLines lines = lines_of(input, table, true);
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    auto& points = lines.series[lines.of_row[r]].points;
    for (std::size_t c = 0; c < table.cols.size(); ++c) {
      if (!scores.entries[r][c] || !costs.entries[r][c]) continue;
      points.push_back(point_at(100 * costs.entries[r][c]->estimate.value, *scores.entries[r][c]));
      points.back().name = lines.names[r];
    }
  }
  tidy(lines.series);
  plot.series = std::move(lines.series);
  require_points(plot.series, table, "no figures with FLOPs");
  plot.axis = AxisOf::amounts;
  return plot.draw(input.figure);
}

std::string plot_ratio(const PlotInput& input) {
  const std::string y = y_label(input.query.value);
  const Table table = table_of(input, {"strategy"}, {"ratio"}, {input.query.value});
  LinePlot plot = labelled(table, "", y);
  over_ratio(input, table, plot);
  require_points(plot.series, table, "no strategy has a ratio");
  return plot.draw(input.figure);
}

std::string plot_crowding_out(const PlotInput& input) {
  const Table table = table_of(input, {"strategy"}, {"ratio"}, {"crowding_out"});
  LinePlot plot = labelled(table, "", fmt::format("selection outside 90 % of {}'s score, %", input.query.oracle));
  over_ratio(input, table, plot);
  require_points(
      plot.series, table,
      fmt::format(
          "crowding-out needs {0} with its scores in the store, over the same prompts (add {0} to strategies, and "
          "store: {{scores: true}}); --oracle names another strategy",
          input.query.oracle));
  return plot.draw(input.figure);
}

std::string plot_chunk_size(const PlotInput& input) {
  const std::string y = y_label(input.query.value);
  Table table = table_of(input, {"strategy", "ratio"}, {"chunker"}, {input.query.value});
  std::vector<double> sizes;  // of each column; NaN: no tokens in its name
  std::set<double> distinct;
  for (const auto& col : table.cols) {
    const std::size_t colon = col[0].find(": ");
    sizes.push_back(colon == std::string::npos ? std::nan("") : std::strtod(col[0].c_str() + colon + 2, nullptr));
    if (sizes.back() > 0) distinct.insert(sizes.back());
  }
  if (distinct.size() < 2)
    fail(ErrorKind::usage,
         "there is nothing to plot: chunk-size needs results over two chunk sizes or more, e.g. chunker: "
         "[{{fixed: 64}}, {{fixed: 256}}]");
  LinePlot plot = labelled(table, "tokens a chunk", y);
  std::set<std::string> ratios;
  for (const auto& row : table.rows) ratios.insert(row[1]);
  ratios.erase("");
  if (ratios.size() == 1) {  // said once
    plot.caption += " · at " + heading("ratio", *ratios.begin());
    for (auto& row : table.rows) row[1].clear();
  }
  RowLines lines = lines_of(input, table, false);
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    auto& points = lines.series[r].points;
    for (std::size_t c = 0; c < table.cols.size(); ++c) {
      if (table.blocks[0].entries[r][c] && sizes[c] > 0)
        points.push_back(point_at(sizes[c], *table.blocks[0].entries[r][c]));
    }
  }
  tidy(lines.series);
  plot.series = std::move(lines.series);
  plot.axis = AxisOf::doublings;
  return plot.draw(input.figure);
}

}  // namespace kvmend
