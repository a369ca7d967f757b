#pragma once
#include <optional>
#include <string>
#include <vector>

#include "eval/statistics.h"

namespace kvmend {

struct Point {
  double x = 0, y = 0;
  std::optional<Interval> interval;  ///< of y
  std::string name = {};             ///< written beside it
};

struct Series {
  std::string label;
  std::vector<Point> points;
  std::size_t place = 0,
              variant = 0;  ///< a strategy's place gives colour, symbol and dash; its variants differ in the latter
  bool reference = false;   ///< in black and grey, with places of their own
  bool measured = false;    ///< its x are no settings
};

// How a series looks, in gnuplot's words: told apart by colour, by symbol and by dash.
const char* colour_of(const Series& series);
std::string line_style(const Series& series);
/// `ring`: how many points lie on this spot already; 0 is the symbol itself, the others are its outlines around that.
std::string point_style(const Series& series, int ring = 0);
/// Of an interval: thin, and others are seen through it.
std::string bar_style(const std::string& colour);

}  // namespace kvmend
