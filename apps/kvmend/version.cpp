#include "apps/kvmend/version.h"

#include <fmt/format.h>

namespace kvmend {

extern const char* const build_commit;  // cmake/BuildCommit.cmake writes it

std::string version() { return KVMEND_VERSION; }

std::string build_text() { return fmt::format("{}, commit {}", KVMEND_BUILD_OPTIONS, build_commit); }

std::string version_text() { return fmt::format("kvmend {} ({})", version(), build_text()); }

}  // namespace kvmend
