#pragma once
#include <filesystem>
#include <string>

namespace kvmend {

/// Where `kvmend fetch` puts models: $KVMEND_MODELS, else models/ in the user's cache folder.
std::filesystem::path models_dir();

/// The file or folder of a model: a path as it is, else a fetched model of that name. Throws Error(data) that says what to
/// fetch when there is neither.
std::filesystem::path locate_model(const std::string& name);

}  // namespace kvmend
