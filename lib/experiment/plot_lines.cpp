// Plots of lines: quality against cost, ratio and chunk size; crowding-out.
#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "experiment/gnuplot.h"
#include "experiment/plot_kinds.h"
#include "experiment/table_cells.h"
#include "experiment/table_marks.h"
#include "experiment/table_value.h"

namespace kvmend {
namespace {

using gnuplot::Point;
using gnuplot::Series;

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

std::string head(const Table& table, const std::string& x, const std::string& y) {
  return fmt::format("{}set xlabel {}\nset ylabel {}\nset yrange [0:103]\n",
                     gnuplot::caption(plot_caption(table, {table.blocks.front().value})), gnuplot::quote(x),
                     gnuplot::quote(y));
}

/// From 0 to a little beyond the last point.
std::string x_range(const std::vector<Series>& series) {
  double widest = 0;
  for (const Series& s : series) {
    for (const Point& p : s.points) widest = std::max(widest, p.x);
  }
  return fmt::format("set xrange [0:{}]\n", widest > 0 ? 1.04 * widest : 1);
}

std::string y_label(const std::string& value) {
  if (!is_known_value(value) || !is_quality_value(value))
    fail(ErrorKind::usage, "--value: '{}' cannot be plotted; use score, pgr or score_solved", value);
  return value == "pgr"     ? "share of full prefill's gain, %"
         : value == "score" ? "score × 100"
                            : "score × 100 where full is right";
}

void require_points(const std::vector<Series>& series, const Table& table, const std::string& what) {
  if (!series.empty()) return;
  const std::string reason = table.warnings.empty() ? "" : ": " + table.warnings.back();
  fail(ErrorKind::usage, "there is nothing to plot: {}{}", what, reason);
}

/// A row's heading, in which a strategy carries its note.
std::string legend(const Table& table, std::size_t row) {
  std::string out;
  for (std::size_t d = 0; d < table.row_dimensions.size(); ++d) {
    const std::string& value = table.rows[row][d];
    out += d ? ", " : "";
    out += table.row_dimensions[d] == "strategy" ? legend_label(table, value) : heading(table.row_dimensions[d], value);
  }
  return out;
}

/// Series over the ratio, and references as levels.
void over_ratio(const Table& table, const TableBlock& block, std::vector<Series>& series, std::vector<Series>& levels) {
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    Series line{legend(table, r), {}};
    for (const auto& entry : block.entries[r]) {
      if (!entry) continue;
      if (entry->ratio) {
        line.points.push_back(point_at(100 * *entry->ratio, *entry));
      } else {
        levels.push_back({line.label, {point_at(0, *entry)}});
      }
    }
    if (!line.points.empty()) series.push_back(std::move(line));
  }
}

}  // namespace

std::string plot_caption(const Table& table, const std::vector<std::string>& values) {
  std::string out;
  for (const auto& line : table_head(table)) out += (out.empty() ? "" : " · ") + line;
  if (out.size() > 90 && table.tasks.size() > 1) {
    out.clear();
    for (const auto& [name, value] : table.constant) out += (out.empty() ? "" : " · ") + value;
    out += fmt::format(" · mean of {} tasks", table.tasks.size());
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
  if (figures > 0 && without == figures) out += " · no intervals: too few questions";
  if (without > 0 && without < figures) out += fmt::format(" · {} of {} without an interval", without, figures);
  return out;
}

std::string plot_quality_cost(const PlotInput& input) {
  const std::string y = y_label(input.query.value);
  const Table table = table_of(input, {"strategy"}, {"ratio"}, {input.query.value, "flops_ratio"});
  const TableBlock &scores = table.blocks[0], &costs = table.blocks[1];
  std::vector<Series> series;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    Series line{legend(table, r), {}};
    for (std::size_t c = 0; c < table.cols.size(); ++c) {
      if (scores.entries[r][c] && costs.entries[r][c])
        line.points.push_back(point_at(100 * costs.entries[r][c]->estimate.value, *scores.entries[r][c]));
    }
    std::sort(line.points.begin(), line.points.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
    if (!line.points.empty()) series.push_back(std::move(line));
  }
  require_points(series, table, "no figures with FLOPs");
  return head(table, "FLOPs to the first token, % of full prefill", y) + x_range(series) +
         gnuplot::line_plot(series, {}, gnuplot::Dodge::none);
}

std::string plot_ratio(const PlotInput& input) {
  const std::string y = y_label(input.query.value);
  const Table table = table_of(input, {"strategy"}, {"ratio"}, {input.query.value});
  std::vector<Series> series, levels;
  over_ratio(table, table.blocks[0], series, levels);
  require_points(series, table, "no strategy has a ratio");
  return head(table, "recomputation ratio, %", y) + x_range(series) +
         gnuplot::line_plot(series, levels, gnuplot::Dodge::linear);
}

std::string plot_crowding_out(const PlotInput& input) {
  const Table table = table_of(input, {"strategy"}, {"ratio"}, {"crowding_out"});
  std::vector<Series> series, levels;
  over_ratio(table, table.blocks[0], series, levels);
  require_points(
      series, table,
      fmt::format("crowding-out needs {} with its scores in the store (store: {{scores: true}}), over the same "
                  "prompts; --oracle names another strategy",
                  input.query.oracle));
  return head(table, "recomputation ratio, %",
              fmt::format("selection outside 90 % of {}'s score, %", input.query.oracle)) +
         x_range(series) + gnuplot::line_plot(series, {}, gnuplot::Dodge::linear);
}

std::string plot_chunk_size(const PlotInput& input) {
  const std::string y = y_label(input.query.value);
  const Table table = table_of(input, {"strategy", "ratio"}, {"chunker"}, {input.query.value});
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
  std::vector<Series> series;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    Series line{legend_label(table, table.rows[r][0]) +
                    (table.rows[r][1].empty() ? "" : ", " + heading("ratio", table.rows[r][1])),
                {}};
    for (std::size_t c = 0; c < table.cols.size(); ++c) {
      if (table.blocks[0].entries[r][c] && sizes[c] > 0)
        line.points.push_back(point_at(sizes[c], *table.blocks[0].entries[r][c]));
    }
    std::sort(line.points.begin(), line.points.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
    if (!line.points.empty()) series.push_back(std::move(line));
  }
  std::string tics;
  for (const double size : distinct) tics += fmt::format("{}'{}' {}", tics.empty() ? "" : ", ", size, size);
  return head(table, "tokens a chunk", y) +
         fmt::format("set logscale x 2\nset xtics ({})\nset xrange [{}:{}]\n", tics, *distinct.begin() / 1.2,
                     *distinct.rbegin() * 1.2) +
         gnuplot::line_plot(series, {}, gnuplot::Dodge::logarithmic);
}

}  // namespace kvmend
