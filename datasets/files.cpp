#include "datasets/files.h"

#include <fmt/ranges.h>

#include <cstdlib>
#include <vector>

#include "core/error.h"

namespace kvmend {
namespace fs = std::filesystem;
namespace {

fs::path first_existing(const std::string& what, const std::vector<fs::path>& places, const std::string& hint) {
  std::vector<std::string> tried;
  for (const auto& place : places) {
    std::error_code ignored;
    if (fs::exists(place, ignored)) return place;
    tried.push_back(place.string());
  }
  fail(ErrorKind::data, "{}: no such file (tried {}){}", what, fmt::join(tried, ", "), hint);
}

}  // namespace

fs::path find_data_file(const std::string& path, const fs::path& folder) {
  if (fs::path(path).is_absolute()) return first_existing(path, {path}, "");
  std::vector<fs::path> places;
  if (!folder.empty()) places.push_back(folder / path);
  places.emplace_back(path);
  return first_existing(path, places, "");
}

fs::path shipped_file(const std::string& name) {
  if (const char* folder = std::getenv("KVMEND_DATA_DIR"); folder && *folder) {
    return first_existing(name, {fs::path(folder) / name}, "; KVMEND_DATA_DIR names the folder");
  }
  std::vector<fs::path> places;
  // Beside the running program, so that an installed tree can be moved: bin/kvmend and share/kvmend/….
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  if (!program.empty()) places.push_back(program.parent_path().parent_path() / "share" / "kvmend" / name);
  places.push_back(fs::path(KVMEND_INSTALLED_DATA_DIR) / name);
  places.push_back(fs::path(KVMEND_SOURCE_DATA_DIR) / name);
  return first_existing(name, places, "; set KVMEND_DATA_DIR to the folder that holds it");
}

}  // namespace kvmend
