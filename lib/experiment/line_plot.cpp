#include "experiment/line_plot.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "experiment/gnuplot.h"

namespace kvmend {
namespace {

// Okabe, Ito 2008: told apart by colour-blind readers. Their yellow is too light for lines on white, their black is the
// references'.
constexpr std::array colours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"};
constexpr std::array symbols = {7, 5, 9, 11, 13, 6, 4, 8};  // filled and open circles, squares, triangles, diamonds
constexpr std::array greys = {"#000000", "#777777", "#A0A0A0"};
constexpr std::array crosses = {3, 2, 1};
constexpr std::size_t most = 24;  // colours and symbols meet again after as many

const char* colour(const Series& s) {
  return s.reference ? greys[s.place % greys.size()] : colours[s.place % colours.size()];
}
std::string line_style(const Series& s) {
  const std::size_t dash = s.reference ? s.place % 3 + 2 : (s.place + s.place / colours.size() + s.variant) % 4 + 1;
  return fmt::format("lc rgb '{}' lw {} dt {}", colour(s), s.reference ? 1.2 : 1.6, dash);
}
std::string point_style(const Series& s) {
  const int symbol = s.reference ? crosses[s.place % crosses.size()] : symbols[(s.place + s.variant) % symbols.size()];
  return fmt::format("pt {} ps 0.8 lc rgb '{}' lw 1.6", symbol, colour(s));
}

double widest(const std::vector<Series>& series) {
  double x = 0;
  for (const Series& s : series) {
    for (const Point& p : s.points) x = std::max(x, p.x);
  }
  return x;
}

/// Moves series apart, each point by its series' place.
void move_apart(std::vector<Series>& series, bool logarithmic) {
  const double count = static_cast<double>(series.size()), width = widest(series);
  const double step = std::min(0.006, 0.04 / count);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double by = (static_cast<double>(i) - (count - 1) / 2) * step;
    for (Point& p : series[i].points) p.x = logarithmic ? p.x * std::exp2(4 * by) : p.x + by * width;
  }
}

/// Moves only points apart whose intervals would lie on each other.
void move_coinciding(std::vector<Series>& series) {
  std::vector<Point*> points;
  for (Series& s : series) {
    for (Point& p : s.points) points.push_back(&p);
  }
  std::stable_sort(points.begin(), points.end(), [](const Point* a, const Point* b) { return a->x < b->x; });
  const double step = 0.009 * widest(series);
  for (std::size_t begin = 0; begin < points.size();) {
    std::size_t end = begin + 1;
    while (end < points.size() && points[end]->x - points[end - 1]->x < step) ++end;
    double middle = 0;
    for (std::size_t i = begin; i < end; ++i) middle += points[i]->x / static_cast<double>(end - begin);
    for (std::size_t i = begin; end - begin > 1 && i < end; ++i)
      points[i]->x = middle + (static_cast<double>(i - begin) - static_cast<double>(end - begin - 1) / 2) * step;
    begin = end;
  }
}

std::string y_range(const std::vector<Series>& series, const std::vector<Series>& levels) {
  double lo = 0, hi = 100;
  for (const auto* all : {&series, &levels}) {
    for (const Series& s : *all) {
      for (const Point& p : s.points) {
        lo = std::min({lo, p.y, p.interval ? p.interval->lo : p.y});
        hi = std::max({hi, p.y, p.interval ? p.interval->hi : p.y});
      }
    }
  }
  return fmt::format("set yrange [{:.6g}:{:.6g}]\n", lo - 0.02 * (hi - lo), hi + 0.03 * (hi - lo));
}

/// A band as wide as the graph. Bands lie on each other: one is plain, the others hatched in their own directions.
std::string band(const Series& level, std::size_t number) {
  const Interval& interval = *level.points.front().interval;
  constexpr std::array fills = {"transparent solid 0.1", "transparent pattern 4", "transparent pattern 5"};
  return fmt::format(
      "set object {} rectangle from graph 0, first {} to graph 1, first {} fc rgb '{}' fs {} noborder behind\n", number,
      interval.lo, interval.hi, level.place % 3 == 0 ? "#000000" : "#C8C8C8", fills[level.place % 3]);
}

}  // namespace

std::string LinePlot::draw(const Figure& figure) const {
  if (series.size() + levels.size() > most)
    fail(ErrorKind::usage, "{} lines are more than a figure holds ({}); choose with --where, e.g. a chunker or a task",
         series.size() + levels.size(), most);
  std::vector<Series> lines = series;
  if (dodge == Dodge::coinciding) {
    move_coinciding(lines);
  } else {
    move_apart(lines, dodge == Dodge::logarithmic);
  }
  std::vector<KeyEntry> entries;
  std::string data, bars, plots;
  for (const Series& level : levels) {
    const std::size_t number = entries.size() + 1;
    if (level.points.front().interval) data += band(level, number);
    plots += fmt::format(", \\\n     {} with lines {} notitle", level.points.front().y, line_style(level));
    entries.push_back({level.label, line_style(level), "", ""});
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Series& line = lines[i];
    std::string all, intervals;
    for (const Point& p : line.points) {
      all += fmt::format("{:.6g} {:.6g}\n", p.x, p.y);
      if (p.interval)
        intervals += fmt::format("{:.6g} {:.6g} 0 {:.6g}\n", p.x, p.interval->lo, p.interval->hi - p.interval->lo);
    }
    data += gnuplot::block(fmt::format("s{}", i), all);
    const bool joined = line.points.size() > 1;
    entries.push_back({line.label, joined ? line_style(line) : "", point_style(line), ""});
    if (joined) plots += fmt::format(", \\\n     $s{} using 1:2 with lines {} notitle", i, line_style(line));
    plots += fmt::format(", \\\n     $s{} using 1:2 with points {} notitle", i, point_style(line));
    if (intervals.empty()) continue;
    data += gnuplot::block(fmt::format("e{}", i), intervals);
    bars += fmt::format("{}$e{} using 1:2:3:4 with vectors nohead lc rgb '#70{}' lw 1.2 dt 1 notitle",
                        bars.empty() ? "" : ", ", i, colour(line) + 1);
  }
  if (bars.empty()) plots.erase(0, 2);  // bars come first: points lie on them
  Frame frame = figure.axes();
  std::string out = figure.caption(caption, frame);
  out += figure.key(entries, frame);
  out += figure.axis_names(x_label, y_label, frame);
  out += figure.place(frame, fmt::format("{} lines", entries.size()));
  return out + axes + y_range(series, levels) + data + "plot " + bars + plots + "\n";
}

}  // namespace kvmend
