#pragma once
#include "experiment/plot/figure.h"
#include "experiment/plot/line_axis.h"

namespace kvmend {

/// Lines with points and intervals.
struct LinePlot {
  std::string caption, x_label, y_label;
  std::vector<Series> series;
  /// Series of one point that are lines over the whole width (references): their symbols and intervals stand at its end.
  std::vector<Series> levels;
  AxisOf axis = AxisOf::settings;

  /// The script after the preamble. y reaches from 0 to 100 and as far as figures and intervals do. Throws Error(usage)
  /// for more lines than are told apart.
  std::string draw(const Figure& figure) const;
};

}  // namespace kvmend
