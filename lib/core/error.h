#pragma once
#include <fmt/format.h>

#include <exception>
#include <stdexcept>
#include <string>

namespace kvmend {

/// Who has to act on an error. The value is the process's exit code (CLI: exit codes).
enum class ErrorKind : int {
  internal = 1,  ///< a defect of ours
  usage = 2,     ///< command line or config
  data = 3,      ///< a model or data file
  device = 4,    ///< device or memory
};

/// The one exception type that crosses our layers: says what, where and, where we can, what to try.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }
  int exit_code() const noexcept { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

/// Of any exception: an Error's own; device for memory and threads that the system refuses, data for files; whatever else
/// comes as far as this is a defect of ours.
ErrorKind kind_of(const std::exception& failure);

template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

/// For conditions that only a defect of ours can break.
template <class... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) throw Error(ErrorKind::internal, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace kvmend
