#include "model/locate.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/install_paths.h"
#include "core/suggest.h"

namespace kvmend {

namespace fs = std::filesystem;

fs::path models_dir() {
  if (const char* dir = std::getenv("KVMEND_MODELS"); dir && *dir) return dir;
  return user_cache_dir() / "models";
}

namespace {

/// Names that `kvmend fetch` knows.
std::vector<std::string> known_names() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(shipped_path("configs/models"), ignored)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  return names;
}

}  // namespace

fs::path locate_model(const std::string& name) {
  const bool is_name = name.find('/') == std::string::npos && !name.ends_with(".gguf");
  std::error_code ignored;
  if (is_name) {
    for (const fs::path& path : {models_dir() / (name + ".gguf"), models_dir() / name}) {
      if (fs::exists(path, ignored)) return path;
    }
  }
  if (fs::exists(name, ignored)) return name;
  if (is_name) {
    const auto names = known_names();
    const bool known = std::find(names.begin(), names.end(), name) != names.end();
    fail(ErrorKind::data, "model '{}' is not in {} and is no file or folder{}", name, models_dir().string(),
         known ? "; try: kvmend fetch " + name : did_you_mean(name, names));
  }
  fail(ErrorKind::data, "{}: no such model file or folder", name);
}

}  // namespace kvmend
