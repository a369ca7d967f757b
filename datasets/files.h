#pragma once
#include <filesystem>
#include <string>

namespace kvmend {

/// A relative path is looked up in `folder` (the config's), then in the working directory. Throws Error(data) naming
/// the places that were tried.
std::filesystem::path find_data_file(const std::string& path, const std::filesystem::path& folder);

/// A file that ships with us ("qa_builtin.jsonl"): $KVMEND_DATA_DIR if set (and nowhere else then), the installed
/// folder, the source folder. Throws Error(data) naming the places that were tried.
std::filesystem::path shipped_file(const std::string& name);

}  // namespace kvmend
