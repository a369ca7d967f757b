#pragma once
// A figure's sheet: its size, its letters, and where the caption, the key and the graph stand on it.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kvmend {

/// Distances of a graph from the sheet's edges, inches.
struct Frame {
  double left = 0, right = 0, top = 0, bottom = 0;
};

/// How a text is broken: lines as full as can be, or about as long as each other.
enum class Lines : std::uint8_t { full, even };

struct KeyEntry {
  std::string label;
  std::string line, point;  ///< gnuplot's style of each; empty: none
  std::string fill;         ///< a box's colour
  std::string bar;          ///< an upright line's style
};

/// Lengths are inches. Texts are measured by an average letter: margins never follow from what gnuplot guesses of a font.
class Figure {
 public:
  /// Letters grow with the sheet, from 6.5 to 9 points. Throws Error(usage) for a suffix that is not svg, png or pdf.
  /// `named`: the file that messages are about, where `output` is a temporary one.
  Figure(const std::filesystem::path& output, double width, double height, const std::filesystem::path& named = {});

  double width() const { return width_; }
  double height() const { return height_; }
  double letter() const { return 0.58 * em_; }
  double line() const { return 1.2 * em_; }
  double small_letter() const { return 0.58 * small_; }
  double small_line() const { return 1.25 * small_; }

  /// Terminal, fonts (the variable `small` names a smaller one), colours and axes.
  const std::string& preamble() const { return preamble_; }

  /// A text broken into lines that fit into `room`, its letters as wide as `letter`.
  std::vector<std::string> wrapped(const std::string& text, double letter, double room, Lines lines) const;

  /// Adds a heading over the whole width to a script; frame.top makes room for it.
  std::string caption(const std::string& text, Frame& frame) const;

  /// Room for the tics of both axes and for a line of each one's name; frame.top is left alone.
  Frame axes() const;

  /// Adds the axes' names to a script, set by us: gnuplot's own are where it guesses that its fonts end, which in SVG is
  /// outside of the sheet. The frame has axes()'s room, and makes more where a name takes several lines. `y` may be empty.
  std::string axis_names(const std::string& x, const std::string& y, Frame& frame) const;

  /// Adds a key beside the graph if it leaves that half of the width, else below it, in columns; the frame makes room.
  std::string key(const std::vector<KeyEntry>& entries, Frame& frame) const;

  /// Sets the graph's place. Throws Error(usage) if the frame leaves no graph; `what` took the room.
  std::string place(const Frame& frame, const std::string& what) const;

  /// "screen 0.5, screen 0.25": inches from the left and from the bottom.
  std::string at(double x, double y) const;

 private:
  double width_, height_, em_ = 0, small_ = 0;
  std::string preamble_;
};

}  // namespace kvmend
