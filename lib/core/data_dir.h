#pragma once
#include <filesystem>

namespace kvmend {

/// Where `kvmend fetch` puts data sets: $KVMEND_DATASETS, else datasets/ in the user's cache folder.
std::filesystem::path fetched_data_dir();

}  // namespace kvmend
