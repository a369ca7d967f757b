#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace kvmend {

/// A folder of its own that goes with the test.
struct TempFolder {
  std::filesystem::path path;
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "kvmend-data-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
  }
  /// `text` without this folder's name: what messages are compared with.
  std::string relative(std::string text) const {
    const std::string prefix = path.string() + "/";
    for (std::size_t at; (at = text.find(prefix)) != std::string::npos;) text.erase(at, prefix.size());
    return text;
  }
};

}  // namespace kvmend
