#include "core/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace kvmend {

namespace fs = std::filesystem;

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(ErrorKind::data, "{}: cannot open: {}", path.string(), std::strerror(errno));
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    fail(ErrorKind::data, "{}: not a regular file", path.string());
  }
  size_ = static_cast<std::size_t>(info.st_size);
  if (size_ > 0) {
    void* map = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
      const int error = errno;
      ::close(fd);
      fail(ErrorKind::data, "{}: cannot map: {}", path.string(), std::strerror(error));
    }
    data_ = static_cast<const std::byte*>(map);
  }
  ::close(fd);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

namespace {

/// A new file with the permissions that the process's mask leaves: mkstemp's are the owner's alone, and a thread cannot
/// look the mask up without changing it for all others. Returns −1 with errno set if there can be none.
int create_beside(const fs::path& path, std::string& name) {
  for (int tries = 0; tries < 100; ++tries) {
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) return -1;
    name = fmt::format("{}.{:06x}", path.string(), random & 0xffffff);
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

}  // namespace

bool path_exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string read_file(const fs::path& path) {
  const MappedFile map(path);
  return {reinterpret_cast<const char*>(map.bytes().data()), map.bytes().size()};
}

void write_file_atomically(const fs::path& path, std::string_view content) { write_file_atomically(path, {content}); }

void write_file_atomically(const fs::path& path, std::initializer_list<std::string_view> pieces) {
  std::error_code ignored;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), ignored);
  std::string temp;
  const int fd = create_beside(path, temp);
  if (fd < 0) fail(ErrorKind::data, "{}: cannot write: {}", path.string(), std::strerror(errno));
  const auto give_up = [&](int error) {
    ::close(fd);
    ::unlink(temp.c_str());
    fail(ErrorKind::data, "{}: cannot write: {}", path.string(), std::strerror(error));
  };
  for (std::string_view rest : pieces) {
    while (!rest.empty()) {
      const ssize_t n = ::write(fd, rest.data(), rest.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) give_up(n < 0 ? errno : EIO);
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  if (::fsync(fd) != 0) give_up(errno);
  ::close(fd);
  if (::rename(temp.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temp.c_str());
    fail(ErrorKind::data, "{}: cannot write: {}", path.string(), std::strerror(error));
  }
}

fs::path user_cache_dir() {
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && *xdg) return fs::path(xdg) / "kvmend";
  if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".cache" / "kvmend";
  return fs::temp_directory_path() / "kvmend-cache";
}

}  // namespace kvmend
