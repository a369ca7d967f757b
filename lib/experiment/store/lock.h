#pragma once
#include <filesystem>

namespace kvmend {

/// True for NFS, SMB, Lustre, GPFS, Ceph and their like, where SQLite's write-ahead log is unsafe and file locks are
/// slow. False if it cannot be found out.
bool is_network_filesystem(const std::filesystem::path& path);

/// Held by a store's one writer; gone when the process ends, however it ends. The file STORE-writer says who holds it.
class WriterLock {
 public:
  /// Throws Error(usage) naming the store, and the process and host that write it; Error(data) if the lock file cannot
  /// be made.
  explicit WriterLock(const std::filesystem::path& store);
  ~WriterLock();
  WriterLock(WriterLock&& other) noexcept;
  WriterLock& operator=(WriterLock&& other) noexcept;

  /// True if some process, this one included, writes the store now.
  static bool is_held(const std::filesystem::path& store);

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace kvmend
