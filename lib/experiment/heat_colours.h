#pragma once
// Heat maps' colours, from 0 to 100 %.

namespace kvmend {

/// Dark to light, even in grey (after cividis: Nuñez, Anderton, Renslow 2018).
inline constexpr const char* heat_palette =
    "set palette defined (0 '#00224e', 0.25 '#35456c', 0.5 '#7c7b78', 0.75 '#bcae6c', 1 '#fee838')\n"
    "set cbrange [0:100]\nset cbtics 25 font small\n";

/// A text on a dark or a light field.
inline const char* heat_ink(double percent) { return percent < 45 ? "#ffffff" : "#000000"; }

}  // namespace kvmend
