#include "core/hash.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "core/error.h"
#include "core/file.h"

namespace kvmend {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void update(const void* data, std::size_t bytes) { EVP_DigestUpdate(context_.get(), data, bytes); }
  std::string hex() {
    unsigned char digest[32];
    EVP_DigestFinal_ex(context_.get(), digest, nullptr);
    std::string out;
    for (const unsigned char byte : digest) out += fmt::format("{:02x}", byte);
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

/// By the system's own calls: a stream's end of file and a failed read look alike.
std::string hash_content(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(ErrorKind::data, "{}: cannot read: {}", path.string(), std::strerror(errno));
  Sha256 sha;
  std::string buffer(1 << 20, '\0');
  ssize_t n = 0;
  while ((n = ::read(fd, buffer.data(), buffer.size())) != 0) {
    if (n > 0) sha.update(buffer.data(), static_cast<std::size_t>(n));
    if (n > 0 || errno == EINTR) continue;
    const int error = errno;
    ::close(fd);
    fail(ErrorKind::data, "{}: cannot read: {}", path.string(), std::strerror(error));
  }
  ::close(fd);
  return sha.hex();
}

}  // namespace

std::string sha256(std::string_view bytes) {
  Sha256 sha;
  sha.update(bytes.data(), bytes.size());
  return sha.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) fail(ErrorKind::data, "{}: {}", path.string(), std::strerror(errno));
  const std::string identity =
      fmt::format("{}\n{}\n{}.{:09}\n{}:{}", std::filesystem::absolute(path).string(), info.st_size,
                  info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_dev, info.st_ino);
  const std::filesystem::path note = user_cache_dir() / "hashes" / sha256(identity).substr(0, 32);
  if (std::ifstream in(note); in) {
    std::string digest;
    if (in >> digest && digest.size() == 64) return digest;
  }
  std::string digest = hash_content(path);
  try {  // a cache that cannot be written costs time, never the run
    write_file_atomically(note, digest + "\n");
  } catch (const Error&) {
  }
  return digest;
}

std::uint64_t fast_hash(const void* data, std::size_t bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(data, bytes, seed);
}

}  // namespace kvmend
