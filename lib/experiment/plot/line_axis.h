#pragma once
#include <cstdint>
#include <set>

#include "experiment/plot/line_series.h"

namespace kvmend {

/// What an x axis is of.
enum class AxisOf : std::uint8_t {
  amounts,   ///< measured: it begins at 0, and every figure stands where it was measured
  settings,  ///< chosen values: series stand beside each other at each of them
  doublings  ///< the same, logarithmic
};

/// An x axis and the series' places on it, in inches from its left end.
class LineAxis {
 public:
  /// `width`: the graph's; `edge`: what settings leave free at its right end.
  LineAxis(AxisOf of, const std::vector<Series>& series, double width, double edge = 0);

  double inches(double x) const;
  double x_at(double inches) const;
  /// The x that stands as many inches right of this one.
  double moved(double x, double inches) const;
  /// How far right a series stands of its x.
  double aside(std::size_t series) const;
  /// gnuplot's range and tics; a tic's label is as wide as its letters.
  std::string commands(double letter) const;

 private:
  double scaled(double x) const;
  double unscaled(double x) const;

  AxisOf of_;
  double width_, from_ = 0, per_inch_ = 1, step_ = 0;
  std::vector<std::optional<std::size_t>> order_;  ///< of series that stand beside each other
  std::size_t count_ = 0;                          ///< of those
  std::set<double> settings_;                      ///< that have a tic
};

}  // namespace kvmend
