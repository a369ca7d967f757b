#pragma once
#include <string>

namespace kvmend {

/// "0.1.0".
std::string version();
/// What the program was built by and from: "GNU 12.2.0, Release, commit 3f2a1bc"; "…-dirty" with changes that are not
/// committed, "commit unknown" without Git. Stores record it, and tables warn where results of several are mixed.
std::string build_text();
/// "kvmend 0.1.0 (GNU 12.2.0, Release, commit 3f2a1bc)": what `--version` prints.
std::string version_text();

}  // namespace kvmend
