#pragma once
// Selectors outside the tree: shared libraries built against the installed headers (docs/selector.md).
#include <filesystem>
#include <string>
#include <vector>

namespace kvmend {

struct Plugin {
  std::filesystem::path file;           ///< absolute
  std::string sha256;                   ///< of the file: part of the cell keys of its strategies
  std::vector<std::string> strategies;  ///< what it registered, in its order
};

/// Loads a library whose selectors then are strategies like any other, for the rest of the process; one that is loaded
/// already is left alone. Throws Error(data) if the file is no library, carries no stamp, or was built for another version,
/// against other headers or with another standard library than this program; none of its code has run then. Throws
/// Error(usage) if it registers nothing, or a name that exists.
void load_plugin(const std::filesystem::path& path);

/// In the order they were loaded.
const std::vector<Plugin>& loaded_plugins();

}  // namespace kvmend
