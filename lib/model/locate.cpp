#include "model/locate.h"

#include <fmt/ranges.h>

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

/// Models that `kvmend fetch` knows.
struct FetchableModels {
  std::vector<std::string> names;       ///< all
  std::vector<std::string> generators;  ///< without the encoders, which answer nothing
};

FetchableModels fetchable_models() {
  FetchableModels out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(shipped_path("configs/models"), ignored)) {
    if (entry.path().extension() != ".yaml") continue;
    out.names.push_back(entry.path().stem().string());
    const bool encoder = read_file(entry.path()).find("\narchitecture: bert") != std::string::npos;
    if (!encoder) out.generators.push_back(out.names.back());
  }
  std::sort(out.generators.begin(), out.generators.end());
  return out;
}

/// What to do about a name that is nowhere.
std::string advice(const std::string& name) {
  const FetchableModels models = fetchable_models();
  if (std::find(models.names.begin(), models.names.end(), name) != models.names.end())
    return "; try: kvmend fetch " + name;
  if (!nearest_name(name, models.names).empty()) return did_you_mean(name, models.names);
  return fmt::format(
      "; put its .gguf file or Hugging Face folder there, or give a path ('kvmend fetch' has no such model; it has {})",
      fmt::join(models.generators, ", "));
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
    fail(ErrorKind::data, "model '{}' is not in {} and is no file or folder{}", name, models_dir().string(),
         advice(name));
  }
  fail(ErrorKind::data, "{}: no such model file or folder", name);
}

}  // namespace kvmend
