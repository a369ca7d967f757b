#pragma once
#include <string>

namespace kvmend {

/// The program's arguments behind "kvmend", each quoted where a POSIX shell needs it: what can be pasted and run again.
std::string command_line(int argc, const char* const* argv);

}  // namespace kvmend
