#include "experiment/plot/line_plot.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "experiment/plot/gnuplot.h"

namespace kvmend {
namespace {

constexpr std::size_t most = 24;  // colours and symbols meet again after as many

constexpr double marker = 0.037;  // inches from a symbol's middle to its edge

/// A point as it is drawn.
struct Mark {
  const Point* point;
  double x, y, bar;  ///< bar: the interval's x
  int ring = 0;
};
using Marks = std::vector<std::vector<Mark>>;  ///< by series

/// Points that would hide each other: the first keeps its symbol, the others are outlines around it.
void ring(Marks& marks, const LineAxis& axis, double y_inches) {
  constexpr int most_rings = 4;
  std::vector<const Mark*> before;
  for (auto& series : marks) {
    for (Mark& mark : series) {
      for (const Mark* other : before) {
        const double dx = axis.inches(mark.x) - axis.inches(other->x), dy = (mark.y - other->y) * y_inches;
        if (std::hypot(dx, dy) < 1.3 * marker) mark.ring = std::min(most_rings, std::max(mark.ring, other->ring + 1));
      }
      before.push_back(&mark);
    }
  }
}

/// Moves intervals that would lie on each other beside each other, none farther than its symbol reaches.
void part_bars(Marks& marks, const LineAxis& axis) {
  constexpr double least = 0.024;
  std::vector<Mark*> bars;
  for (auto& series : marks) {
    for (Mark& mark : series) {
      if (mark.point->interval) bars.push_back(&mark);
    }
  }
  std::stable_sort(bars.begin(), bars.end(), [](const Mark* a, const Mark* b) { return a->x < b->x; });
  const auto at = [&](std::size_t i) { return axis.inches(bars[i]->x); };
  for (std::size_t begin = 0; begin < bars.size();) {
    std::size_t end = begin + 1;
    while (end < bars.size() && at(end) - at(end - 1) < least) ++end;
    const auto count = static_cast<double>(end - begin);
    const double step = std::min(least, 2 * marker / std::max(1.0, count - 1)), middle = (at(begin) + at(end - 1)) / 2;
    for (std::size_t i = begin; count > 1 && i < end; ++i) {
      const double wanted = middle + (static_cast<double>(i - begin) - (count - 1) / 2) * step;
      bars[i]->bar = axis.moved(bars[i]->x, std::clamp(wanted - at(i), -marker, marker));
    }
    begin = end;
  }
}

Marks marks_of(const std::vector<Series>& series, const LineAxis& axis, double y_inches) {
  Marks marks;
  for (std::size_t i = 0; i < series.size(); ++i) {
    auto& of_series = marks.emplace_back();
    for (const Point& p : series[i].points) {
      const double x = axis.moved(p.x, axis.aside(i));
      of_series.push_back({&p, x, p.y, x});
    }
  }
  ring(marks, axis, y_inches);
  part_bars(marks, axis);
  return marks;
}

Interval y_range(const std::vector<Series>& series, const std::vector<Series>& levels) {
  double lo = 0, hi = 100;
  for (const auto* all : {&series, &levels}) {
    for (const Series& s : *all) {
      for (const Point& p : s.points) {
        lo = std::min({lo, p.y, p.interval ? p.interval->lo : p.y});
        hi = std::max({hi, p.y, p.interval ? p.interval->hi : p.y});
      }
    }
  }
  return {lo - 0.02 * (hi - lo), hi + 0.03 * (hi - lo)};
}

}  // namespace

std::string LinePlot::draw(const Figure& figure) const {
  if (series.size() + levels.size() > most)
    fail(ErrorKind::usage, "{} lines are more than a figure holds ({}); choose with --where, e.g. a chunker or a task",
         series.size() + levels.size(), most);
  std::vector<KeyEntry> entries;
  bool any_interval = false;
  for (const Series& level : levels) {
    entries.push_back({level.label, line_style(level), point_style(level), "", ""});
    any_interval = any_interval || level.points.front().interval;
  }
  for (const Series& line : series) {
    entries.push_back({line.label, line.points.size() > 1 ? line_style(line) : "", point_style(line), "", ""});
    for (const Point& p : line.points) any_interval = any_interval || p.interval;
  }
  if (any_interval) entries.push_back({"95 % interval", "", "", "", bar_style("#000000")});
  Frame frame = figure.axes();
  std::string out = figure.caption(caption, frame);
  out += figure.key(entries, frame);
  out += figure.axis_names(x_label, y_label, frame);
  out += figure.place(frame, fmt::format("{} lines", series.size() + levels.size()));

  const double width = figure.width() - frame.left - frame.right, count = static_cast<double>(levels.size());
  const double step = std::min(0.1, 0.8 / std::max(count, 1.0));  // between levels' symbols
  const LineAxis x_axis(axis, series, width, levels.empty() ? 0 : (count + 1) * step);
  const Interval y = y_range(series, levels);
  out += x_axis.commands(figure.letter()) + fmt::format("set yrange [{:.6g}:{:.6g}]\n", y.lo, y.hi);
  const double height = figure.height() - frame.top - frame.bottom;
  const Marks marks = marks_of(series, x_axis, height / (y.hi - y.lo));
  std::vector<std::string> bars, plots;  // bars come first: points lie on them
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const Point& p = levels[i].points.front();
    const double x = x_axis.x_at(width - (count - static_cast<double>(i) - 0.5) * step);
    out += gnuplot::block(fmt::format("l{}", i), fmt::format("{:.6g} {:.6g}\n", x, p.y));
    plots.push_back(fmt::format("{:.6g} with lines {} notitle", p.y, line_style(levels[i])));
    plots.push_back(fmt::format("$l{} using 1:2 with points {} notitle", i, point_style(levels[i])));
    if (!p.interval) continue;
    out += gnuplot::block(fmt::format("b{}", i),
                          fmt::format("{:.6g} {:.6g} 0 {:.6g}\n", x, p.interval->lo, p.interval->hi - p.interval->lo));
    bars.push_back(
        fmt::format("$b{} using 1:2:3:4 with vectors nohead {} notitle", i, bar_style(colour_of(levels[i]))));
  }
  for (std::size_t i = 0; i < series.size(); ++i) {
    std::string all, intervals;
    std::set<int> rings;
    for (const Mark& mark : marks[i]) {
      all += fmt::format("{:.6g} {:.6g} {}\n", mark.x, mark.y, mark.ring);
      rings.insert(mark.ring);
      if (const auto& interval = mark.point->interval)
        intervals += fmt::format("{:.6g} {:.6g} 0 {:.6g}\n", mark.bar, interval->lo, interval->hi - interval->lo);
    }
    for (const Mark& mark : marks[i]) {
      if (mark.point->name.empty()) continue;
      out += fmt::format("set label {} at {:.6g}, {:.6g} left offset {} font small tc rgb '{}'\n",
                         gnuplot::quote(mark.point->name), mark.x, mark.y,
                         figure.at(0.07 + 0.05 * mark.ring, 0.5 * figure.small_line()), colour_of(series[i]));
    }
    out += gnuplot::block(fmt::format("s{}", i), all);
    if (marks[i].size() > 1)
      plots.push_back(fmt::format("$s{} using 1:2 with lines {} notitle", i, line_style(series[i])));
    for (const int ring : rings)
      plots.push_back(
          fmt::format("$s{} using 1:($3=={}?$2:NaN) with points {} notitle", i, ring, point_style(series[i], ring)));
    if (intervals.empty()) continue;
    out += gnuplot::block(fmt::format("e{}", i), intervals);
    bars.push_back(
        fmt::format("$e{} using 1:2:3:4 with vectors nohead {} notitle", i, bar_style(colour_of(series[i]))));
  }
  bars.insert(bars.end(), plots.begin(), plots.end());
  return out + fmt::format("plot {}\n", fmt::join(bars, ", \\\n     "));
}

}  // namespace kvmend
