#include "core/data_dir.h"

#include <cstdlib>

#include "core/file.h"

namespace kvmend {

std::filesystem::path fetched_data_dir() {
  if (const char* folder = std::getenv("KVMEND_DATASETS"); folder && *folder) return folder;
  return user_cache_dir() / "datasets";
}

}  // namespace kvmend
