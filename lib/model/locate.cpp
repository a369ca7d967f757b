#include "model/locate.h"

#include <cstdlib>

#include "core/error.h"
#include "core/file.h"

namespace kvmend {

namespace fs = std::filesystem;

fs::path models_dir() {
  if (const char* dir = std::getenv("KVMEND_MODELS"); dir && *dir) return dir;
  return user_cache_dir() / "models";
}

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
    fail(ErrorKind::data, "model '{}' is not in {} and is no file or folder; try: kvmend fetch {}", name,
         models_dir().string(), name);
  }
  fail(ErrorKind::data, "{}: no such model file or folder", name);
}

}  // namespace kvmend
