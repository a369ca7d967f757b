#include "experiment/figure.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/suggest.h"
#include "core/utf8.h"
#include "experiment/gnuplot.h"

namespace kvmend {
namespace {

constexpr double edge = 0.06;  // inches that stay empty around everything
constexpr double points = 72;  // an inch

/// Where the letter begins that has `count` before it.
std::size_t byte_of(const std::string& text, std::size_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!utf8::continues(text[at]) && count-- == 0) break;
  }
  return at;
}

/// Where to break a text that is too long: before the last dot, else after the last blank, else anywhere.
std::pair<std::size_t, std::size_t> break_at(const std::string& text, std::size_t room) {
  const std::size_t limit = byte_of(text, room);
  for (const std::string mark : {" · ", " "}) {
    const std::size_t at = text.rfind(mark, limit);
    if (at != std::string::npos && at > limit / 3) return {at, at + mark.size()};
  }
  return {limit, limit};
}

std::vector<std::string> break_lines(std::string text, std::size_t room) {
  std::vector<std::string> lines;
  while (letters(text) > room) {
    const auto [end, next] = break_at(text, room);
    lines.push_back(text.substr(0, end));
    text.erase(0, next);
  }
  lines.push_back(text);
  return lines;
}

}  // namespace

std::size_t letters(const std::string& text) { return utf8::count(text); }

std::string shorten(const std::string& text, std::size_t most) {
  const std::size_t count = letters(text);
  if (count <= most || most < 3) return text;
  const std::size_t head = most / 2, tail = most - 1 - head;
  return text.substr(0, byte_of(text, head)) + "…" + text.substr(byte_of(text, count - tail));
}

Figure::Figure(const std::filesystem::path& output, double width, double height, const std::filesystem::path& named)
    : width_(width), height_(height) {
  const double size = std::clamp(5 + 0.6 * width, 6.5, 9.0), small = std::max(6.0, 0.8 * size);
  em_ = size / points;
  small_ = small / points;
  const std::string suffix = output.extension().string();
  std::string terminal;
  double unit = 0;  // of a terminal's font in one point
  if (suffix == ".svg") {
    unit = 100 / points;
    terminal = fmt::format("svg size {:.0f},{:.0f} font 'Helvetica,{:.1f}' background '#ffffff'", 100 * width,
                           100 * height, unit * size);
  } else if (suffix == ".png") {
    unit = 0.75 * 200 / points;  // cairo's pixels are 3/4 of its points
    terminal = fmt::format("pngcairo size {:.0f},{:.0f} font 'Sans,{:.1f}' linewidth 1.8 pointscale 2.8", 200 * width,
                           200 * height, unit * size);
  } else if (suffix == ".pdf") {
    unit = 1.5;  // its fontscale is 2/3
    terminal = fmt::format("pdfcairo size {}in,{}in font 'Sans,{:.1f}'", width, height, unit * size);
  } else {
    fail(ErrorKind::usage, "{}: a plot is written as .svg, .png or .pdf (or .gp: the gnuplot script){}",
         (named.empty() ? output : named).string(), did_you_mean(suffix, {".svg", ".png", ".pdf", ".gp"}));
  }
  preamble_ = fmt::format(
      "set encoding utf8\nset terminal {} noenhanced\nset output {}\nset border 3 lw 0.8\nset tics nomirror out scale "
      "0.6\nset grid ytics lc rgb '#e4e4e4' lt 1 lw 0.6\nunset key\nsmall = ',{:.1f}'\n",
      terminal, gnuplot::quote(output.string()), unit * small);
  // SVG's lines are half as high again as its letters: tics' labels come back to where they are in the other formats.
  if (suffix == ".svg") preamble_ += "set xtics offset 0,0.3\n";
}

std::string Figure::at(double x, double y) const {
  return fmt::format("screen {:.4f}, screen {:.4f}", x / width_, y / height_);
}

std::vector<std::string> Figure::wrapped(const std::string& text, double letter, double room, Lines lines) const {
  const auto fits = static_cast<std::size_t>(std::max(4.0, room / letter));
  std::vector<std::string> broken = break_lines(text, fits);
  // The shortest lines that are no more.
  for (std::size_t even = letters(text) / broken.size(); lines == Lines::even && even < fits; ++even) {
    const auto other = break_lines(text, std::max<std::size_t>(even, 4));
    if (other.size() != broken.size()) continue;
    broken = other;
    break;
  }
  return broken;
}

std::string Figure::caption(const std::string& text, Frame& frame) const {
  // Each line is a label of its own: how far apart lines of one are, differs between gnuplot's formats.
  std::string out;
  double y = height_ - edge - 0.5 * small_line();  // a label's middle is what gnuplot places
  for (const auto& line : wrapped(text, small_letter(), width_ - 2 * edge, Lines::full)) {
    out += fmt::format("set label {} at {} left font small\n", gnuplot::quote(line), at(edge, y));
    y -= small_line();
  }
  frame.top = std::max(frame.top, height_ - y + 0.2 * small_line());
  return out;
}

Frame Figure::axes() const { return {4.6 * line(), 0.3, 0, 3.5 * line()}; }

std::string Figure::axis_names(const std::string& x, const std::string& y, Frame& frame) const {
  std::string out;
  const double least = 0.6;  // of a graph that has no room: place() refuses it
  if (!y.empty()) {
    const double room = std::max(height_ - frame.top - frame.bottom, least);
    const auto lines = wrapped(y, letter(), room, Lines::even);
    frame.left += static_cast<double>(lines.size() - 1) * line();
    double from_left = edge + 0.5 * line();
    for (const auto& words : lines) {
      out += fmt::format("set label {} at {} center rotate by 90\n", gnuplot::quote(words),
                         at(from_left, frame.bottom + 0.5 * room));
      from_left += line();
    }
  }
  const double room = std::max(width_ - frame.left - frame.right, least);
  const auto lines = wrapped(x, letter(), room, Lines::even);
  const double first = frame.bottom - 2.7 * line();
  frame.bottom += static_cast<double>(lines.size() - 1) * line();
  for (std::size_t i = 0; i < lines.size(); ++i)
    out += fmt::format("set label {} at {} center\n", gnuplot::quote(lines[i]),
                       at(frame.left + 0.5 * room, first + static_cast<double>(lines.size() - 1 - i) * line()));
  return out;
}

std::string Figure::key(const std::vector<KeyEntry>& entries, Frame& frame) const {
  if (entries.empty()) return "";
  const double sample = 3 * small_, gap = 0.6 * small_, step = 1.08 * small_line();
  std::size_t longest = 0;
  for (const auto& entry : entries) longest = std::max(longest, letters(entry.label));
  const double column = sample + gap + static_cast<double>(longest) * small_letter() + 2 * gap;
  const auto count = static_cast<double>(entries.size());
  const bool wide = width_ - frame.left - frame.right - column >= width_ / 2;
  const bool beside = wide && count * step <= height_ - frame.top - frame.bottom;
  const double columns = beside ? 1 : std::clamp(std::floor((width_ - 2 * edge) / column), 1.0, count);
  const double rows = std::ceil(count / columns);
  const double left = beside ? width_ - edge - column + gap : edge;
  const double top = beside ? height_ - frame.top - 0.5 * step : edge + (rows - 0.5) * step;
  (beside ? frame.right : frame.bottom) += beside ? column : rows * step + edge;
  std::string out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto row = static_cast<double>(i % static_cast<std::size_t>(rows));
    const auto col = static_cast<double>(i / static_cast<std::size_t>(rows));
    const double x = left + col * column, y = top - row * step;
    const KeyEntry& entry = entries[i];
    if (!entry.line.empty())
      out += fmt::format("set arrow from {} to {} nohead {}\n", at(x, y), at(x + sample, y), entry.line);
    if (!entry.point.empty()) out += fmt::format("set label '' at {} point {}\n", at(x + sample / 2, y), entry.point);
    if (!entry.fill.empty()) {
      out += fmt::format("set object rectangle from {} to {} fc rgb '{}' fs solid noborder\n",
                         at(x + sample / 3, y - 0.35 * small_), at(x + sample, y + 0.35 * small_), entry.fill);
    }
    if (!entry.bar.empty()) {
      out += fmt::format("set arrow from {} to {} nohead {}\n", at(x + sample / 2, y - 0.45 * small_),
                         at(x + sample / 2, y + 0.45 * small_), entry.bar);
    }
    out += fmt::format("set label {} at {} left font small\n", gnuplot::quote(entry.label), at(x + sample + gap, y));
  }
  return out;
}

std::string Figure::place(const Frame& frame, const std::string& what) const {
  constexpr double least_width = 0.8, least_height = 0.6;
  if (width_ - frame.left - frame.right < least_width || height_ - frame.top - frame.bottom < least_height)
    fail(ErrorKind::usage,
         "{} leave no room for a graph in {} by {} inches; choose fewer with --where, or give more "
         "--width or --height",
         what, width_, height_);
  return fmt::format(
      "set lmargin at screen {:.4f}\nset rmargin at screen {:.4f}\nset tmargin at screen {:.4f}\nset "
      "bmargin at screen {:.4f}\n",
      frame.left / width_, 1 - frame.right / width_, 1 - frame.top / height_, frame.bottom / height_);
}

}  // namespace kvmend
