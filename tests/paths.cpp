#include "paths.h"

namespace kvmend {

const std::string& source_folder() {
  static const std::string folder = KVMEND_SOURCE_DIR;
  return folder;
}

const std::string& binary_folder() {
  static const std::string folder = KVMEND_BINARY_DIR;
  return folder;
}

}  // namespace kvmend
