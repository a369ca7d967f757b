#include "core/install_paths.h"

#include "core/error.h"

namespace kvmend {

namespace fs = std::filesystem;

fs::path shipped_path(const fs::path& relative) {
  std::error_code ignored;
  const fs::path source = fs::path(KVMEND_SOURCE_DIR) / relative;
  if (fs::exists(source, ignored)) return source;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path installed = program.parent_path().parent_path() / "share" / "kvmend" / relative;
  if (fs::exists(installed, ignored)) return installed;
  fail(ErrorKind::data, "{} is neither at {} nor at {}: is the installation whole?", relative.string(), source.string(),
       installed.string());
}

}  // namespace kvmend
