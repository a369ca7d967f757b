#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace kvmend {

/// A file that readers see whole or not at all: content goes to a temporary name in the same folder (made if missing), which
/// commit() renames. Without a commit nothing is left behind. All of it throws Error(data), at a full disk too.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view piece);
  /// Once, as the last call.
  void commit();

 private:
  [[noreturn]] void give_up(int error);

  std::filesystem::path path_;
  std::string temporary_;  ///< empty: there is none, or none any more
  int fd_ = -1;
};

}  // namespace kvmend
