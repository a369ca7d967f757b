#include "experiment/store/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "core/error.h"

namespace kvmend {
namespace {

namespace fs = std::filesystem;

fs::path lock_path(const fs::path& store) { return store.string() + "-writer"; }

std::string this_process() {
  char host[HOST_NAME_MAX + 1] = "unknown host";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("process {} on {}", ::getpid(), host);
}

std::string read_owner(int fd) {
  char text[256];
  const ssize_t n = ::pread(fd, text, sizeof text, 0);
  std::string owner(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  while (!owner.empty() && owner.back() == '\n') owner.pop_back();
  return owner.empty() ? "another process" : owner;
}

/// A lock on a name that was removed meanwhile locks nothing that others see.
bool still_named(int fd, const fs::path& path) {
  struct stat opened {
  }, named{};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

bool is_network_filesystem(const fs::path& path) {
  // statfs(2) f_type of NFS, SMB (3 kinds), Lustre, GPFS, BeeGFS, Ceph, AFS, Coda, 9P, PanFS, OCFS2, GFS2, FUSE (sshfs, GlusterFS)
  static constexpr std::uint64_t kinds[] = {0x6969,     0x517B,     0xFE534D42, 0xFF534D42, 0x0BD00BD0,
                                            0x47504653, 0x19830326, 0x00C36400, 0x5346414F, 0x73757245,
                                            0x01021997, 0xAAD7AAEA, 0x7461636F, 0x01161970, 0x65735546};
  struct statfs info {};
  fs::path existing = fs::absolute(path);
  while (::statfs(existing.c_str(), &info) != 0) {
    if (errno != ENOENT || existing == existing.root_path()) return false;
    existing = existing.parent_path();
  }
  const auto kind = static_cast<std::uint64_t>(info.f_type) & 0xFFFFFFFFU;
  return std::find(std::begin(kinds), std::end(kinds), kind) != std::end(kinds);
}

WriterLock::WriterLock(const fs::path& store) : path_(lock_path(store)) {
  for (;;) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) {
      const int error = errno;
      if (error == EACCES || error == EROFS || error == EPERM) {
        fail(ErrorKind::data, "{}: cannot be written: the file or its folder is read-only", store.string());
      }
      fail(ErrorKind::data, "{}: cannot make its lock file: {}", store.string(), std::strerror(error));
    }
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      const std::string owner = read_owner(fd_);
      ::close(std::exchange(fd_, -1));
      if (error == EINTR) continue;
      fail(ErrorKind::usage, "{}: {} writes this store already; wait for it, or choose another with -o", store.string(),
           owner);
    }
    if (still_named(fd_, path_)) break;
    ::close(std::exchange(fd_, -1));
  }
  const std::string owner = this_process() + "\n";
  // Who writes is for people: a lock that cannot say so locks all the same.
  if (::ftruncate(fd_, 0) == 0) [[maybe_unused]]
    const ssize_t written = ::pwrite(fd_, owner.data(), owner.size(), 0);
}

WriterLock::~WriterLock() {
  if (fd_ < 0) return;
  ::unlink(path_.c_str());
  ::close(fd_);
}

WriterLock::WriterLock(WriterLock&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

WriterLock& WriterLock::operator=(WriterLock&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

bool WriterLock::is_held(const fs::path& store) {
  const int fd = ::open(lock_path(store).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return held;
}

}  // namespace kvmend
