#pragma once
// Heat maps: means of what falls into a field, as colours from 0 to 100 %.
#include <fmt/format.h>

#include <string>

namespace kvmend {

/// Of the values in a field, 0 to 1.
struct FieldMean {
  double sum = 0;
  int n = 0;
  void add(double value) {
    sum += value;
    ++n;
  }
  double percent() const { return 100 * sum / n; }
};

/// Dark to light, even in grey (after cividis: Nuñez, Anderton, Renslow 2018).
inline constexpr const char* heat_palette =
    "set palette defined (0 '#00224e', 0.25 '#35456c', 0.5 '#7c7b78', 0.75 '#bcae6c', 1 '#fee838')\n"
    "set cbrange [0:100]\nset cbtics 25 font small\n";

/// A field's percentage written on it, by an ink that its colour lets read; `top`: the palette's end.
template <class X, class Y>
std::string heat_label(double percent, X x, Y y, double top = 100) {
  return fmt::format("set label '{:.0f}' at {},{} center front font small tc rgb '{}'\n", percent, x, y,
                     percent < 0.45 * top ? "#ffffff" : "#000000");
}

}  // namespace kvmend
