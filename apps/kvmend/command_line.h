#pragma once
#include <string>
#include <string_view>

namespace kvmend {

/// The program's arguments behind "kvmend", each quoted where a POSIX shell needs it: what can be pasted and run again.
std::string command_line(int argc, const char* const* argv);

/// A word that a POSIX shell reads back as it is, in single quotes.
std::string shell_quoted(std::string_view text);

}  // namespace kvmend
