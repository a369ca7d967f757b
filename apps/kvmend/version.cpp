#include "apps/kvmend/version.h"

#include <fmt/format.h>

namespace kvmend {

std::string version_text() {
#ifdef NDEBUG
  const char* kind = "release";
#else
  const char* kind = "debug";
#endif
  return fmt::format("kvmend {} ({}, {})", KVMEND_VERSION, kind, KVMEND_COMPILER);
}

}  // namespace kvmend
