#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/statistics.h"
#include "experiment/figure.h"

namespace kvmend {

struct Point {
  double x = 0, y = 0;
  std::optional<Interval> interval;  ///< of y
};

struct Series {
  std::string label;
  std::vector<Point> points;
  std::size_t place = 0,
              variant = 0;  ///< a strategy's place gives colour, symbol and dash; its variants differ in the latter
  bool reference = false;   ///< in black and grey, with places of their own
};

/// Which series stand beside each other: those at the same x, on a linear or logarithmic axis, or points that happen to
/// have nearly the same x.
enum class Dodge : std::uint8_t { linear, logarithmic, coinciding };

/// Lines with points and intervals.
struct LinePlot {
  std::string caption, x_label, y_label;
  std::string axes;  ///< gnuplot's commands for x: range, tics
  std::vector<Series> series;
  /// Series of one point that are lines over the whole width (references), their intervals bands behind them.
  std::vector<Series> levels;
  Dodge dodge = Dodge::linear;

  /// The script after the preamble. y reaches from 0 to 100 and as far as figures and intervals do. Throws Error(usage)
  /// for more lines than are told apart.
  std::string draw(const Figure& figure) const;
};

}  // namespace kvmend
