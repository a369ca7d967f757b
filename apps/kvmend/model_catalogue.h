#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace kvmend {

/// A model that `kvmend fetch` knows: configs/models/NAME.yaml.
struct KnownModel {
  std::string name, description;
  bool fetched = false;
  std::filesystem::path path;  ///< where it is, or would be
};
std::vector<KnownModel> known_models();

}  // namespace kvmend
