#pragma once
#include <string>

namespace kvmend {

/// "kvmend 0.1.0 (release, g++ 12.2.0)": what `--version` prints and the store records as the build.
std::string version_text();

}  // namespace kvmend
