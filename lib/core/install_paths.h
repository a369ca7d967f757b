#pragma once
#include <filesystem>

namespace kvmend {

/// A file or folder that ships with kvmend ("scripts/fetch", "configs/models"): in the source tree the program was built
/// from, else in share/kvmend beside the bin/ it runs from. Throws Error(data) naming both places if it is in neither.
std::filesystem::path shipped_path(const std::filesystem::path& relative);

}  // namespace kvmend
