#include "experiment/plot/line_series.h"

#include <fmt/format.h>

#include <array>

namespace kvmend {
namespace {

// Okabe, Ito 2008: told apart by colour-blind readers. Their yellow is too light for lines on white, their black is the
// references'.
constexpr std::array colours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"};
constexpr std::array symbols = {7, 5, 9, 11, 13, 6, 4, 8};  // filled and open circles, squares, triangles, diamonds
constexpr std::array greys = {"#000000", "#777777", "#A0A0A0", "#505050", "#909090"};
constexpr std::array crosses = {3, 2, 1, 4, 6};

/// gnuplot's open symbols stand before their filled ones, from the square on.
int outline(int symbol) { return symbol > 4 && symbol % 2 == 1 ? symbol - 1 : symbol; }

}  // namespace

const char* colour_of(const Series& series) {
  return series.reference ? greys[series.place % greys.size()] : colours[series.place % colours.size()];
}

std::string line_style(const Series& series) {
  const std::size_t dash = series.reference ? (series.place + series.variant) % 4 + 2
                                            : (series.place + series.place / colours.size() + series.variant) % 4 + 1;
  return fmt::format("lc rgb '{}' lw {} dt {}", colour_of(series), series.reference ? 1.2 : 1.6, dash);
}

std::string point_style(const Series& series, int ring) {
  const std::size_t look = series.place + series.variant;
  const int symbol = series.reference ? crosses[look % crosses.size()] : symbols[look % symbols.size()];
  return fmt::format("pt {} ps {:.2g} lc rgb '{}' lw 1.6", ring > 0 ? outline(symbol) : symbol, 0.8 + 0.6 * ring,
                     colour_of(series));
}

std::string bar_style(const std::string& colour) { return fmt::format("lc rgb '#70{}' lw 1.2 dt 1", colour.substr(1)); }

}  // namespace kvmend
