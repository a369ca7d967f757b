#pragma once
#include <string>
#include <string_view>

namespace kvmend {

/// Columns of the terminal on stdout; 120 where it is none.
int terminal_columns();

/// Whether stdout may carry colours: "always", "never", or "auto": a terminal that is not "dumb", and no NO_COLOR
/// (no-color.org).
bool wants_color(std::string_view when);

}  // namespace kvmend
