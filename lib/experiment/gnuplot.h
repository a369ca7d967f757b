#pragma once
// Pieces of gnuplot scripts.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "eval/statistics.h"

namespace kvmend::gnuplot {

/// A text as gnuplot reads it literally.
std::string quote(const std::string& text);

/// A tic's label, in which per cent signs would be formats.
std::string tic_label(const std::string& text);
/// A figure's heading, flush left above the graph, broken into lines that fit.
std::string caption(const std::string& text);

/// Terminal, fonts (the variable `small` names a smaller one), colours and axes for a suffix; throws Error(usage) for one that is not svg, png or pdf.
std::string preamble(const std::filesystem::path& output, double width, double height);

struct Point {
  double x = 0, y = 0;
  std::optional<Interval> interval;  ///< of y
};
struct Series {
  std::string label;
  std::vector<Point> points;
};

/// Lines with points and error bars, one colour, symbol and dash each. `levels`: series of one point that are drawn as
/// horizontal lines (references), their intervals as bands behind them. Throws Error(usage) for more lines than are told apart. `dodge`: series stand beside each other where they have the same x, on a linear
/// or a logarithmic axis.
enum class Dodge : std::uint8_t { none, linear, logarithmic };
std::string line_plot(const std::vector<Series>& series, const std::vector<Series>& levels, Dodge dodge);

/// Runs a script. Throws Error(usage) if gnuplot is not there, Error(data) with its words if it fails.
void run(const std::string& script);

}  // namespace kvmend::gnuplot
