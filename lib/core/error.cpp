#include "core/error.h"

#include <filesystem>
#include <new>
#include <system_error>

namespace kvmend {

ErrorKind kind_of(const std::exception& failure) {
  if (const auto* ours = dynamic_cast<const Error*>(&failure)) return ours->kind();
  if (dynamic_cast<const std::bad_alloc*>(&failure)) return ErrorKind::device;
  if (dynamic_cast<const std::filesystem::filesystem_error*>(&failure)) return ErrorKind::data;
  if (dynamic_cast<const std::system_error*>(&failure)) return ErrorKind::device;
  return ErrorKind::internal;
}

}  // namespace kvmend
