#include "cache/chunk_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"

namespace kvmend {
namespace {

constexpr std::array<char, 8> magic{'k', 'v', 'm', 'e', 'n', 'd', '\xc5', '\n'};
constexpr std::uint32_t byte_order = 0x01020304;
constexpr std::uint32_t format_version = 2;

struct Header {
  std::array<char, 8> magic_bytes{};
  std::uint32_t order = byte_order, version = format_version;
  std::array<char, 64> digest{};
  std::uint32_t dtype = 0;
  std::int32_t n_layers = 0, tokens = 0, kv_width = 0;
  std::uint64_t payload_bytes = 0, layers_hash = 0, zero = 0, header_hash = 0;
};
static_assert(sizeof(Header) == 128 && std::is_trivially_copyable_v<Header>);

std::uint64_t hash_of(const Header& header) { return fast_hash(&header, offsetof(Header, header_hash)); }

/// What is wrong with a header, or "". A header with a right hash was written by us; the rest says for whom.
std::string problem_of(const Header& header, std::string_view digest, std::int64_t file_bytes) {
  if (header.magic_bytes != magic) return "not a chunk cache";
  if (header.order != byte_order) {
    return header.order == __builtin_bswap32(byte_order) ? "written on a machine of the other byte order"
                                                         : "corrupt header";
  }
  if (header.version != format_version) {
    return fmt::format("format version {}, this build reads {}", header.version, format_version);
  }
  if (header.header_hash != hash_of(header)) return "corrupt header";
  if (std::string_view(header.digest.data(), header.digest.size()) != digest) return "the cache of another key";
  const ChunkShape shape{static_cast<DType>(header.dtype), header.n_layers, header.tokens, header.kv_width};
  if (header.dtype > 1 || shape.payload_bytes() < 0 ||
      header.payload_bytes != static_cast<std::uint64_t>(shape.payload_bytes())) {
    return "corrupt header";
  }
  if (file_bytes != chunk_file_bytes(shape)) {
    return fmt::format("{} bytes, expected {}: truncated or extended", file_bytes, chunk_file_bytes(shape));
  }
  return {};
}

std::uint64_t hash_of(const std::vector<std::uint64_t>& hashes) {
  return fast_hash(hashes.data(), hashes.size() * sizeof(std::uint64_t));
}

/// One layer's keys and values, which lie behind one another, of a chunk's payload.
template <class Byte>
std::span<Byte> layer_of(std::span<Byte> payload, int n_layers, int layer) {
  const std::size_t bytes = payload.size() / static_cast<std::size_t>(n_layers);
  return payload.subspan(static_cast<std::size_t>(layer) * bytes, bytes);
}

}  // namespace

class ChunkFile::Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

  bool read_at(std::int64_t offset, std::span<std::byte> to) const {
    while (!to.empty()) {
      const ssize_t n = ::pread(fd_, to.data(), to.size(), offset);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      to = to.subspan(static_cast<std::size_t>(n));
      offset += n;
    }
    return true;
  }
  void drop_pages() const { ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED); }

 private:
  int fd_;
};

std::int64_t chunk_file_bytes(const ChunkShape& shape) {
  return static_cast<std::int64_t>(sizeof(Header)) + shape.n_layers * std::int64_t{sizeof(std::uint64_t)} +
         shape.payload_bytes();
}

ChunkFile::ChunkFile(std::unique_ptr<Descriptor> descriptor, ChunkShape shape, std::vector<std::uint64_t> hashes,
                     bool bypass_page_cache)
    : descriptor_(std::move(descriptor)),
      shape_(shape),
      hashes_(std::move(hashes)),
      bypass_page_cache_(bypass_page_cache) {}

ChunkFile::~ChunkFile() = default;

std::string ChunkFile::read_layer(int layer, HostChunk& to) const {
  require(to.shape() == shape_ && layer >= 0 && layer < shape_.n_layers, "layer {} of {} in a chunk file", layer,
          shape_.n_layers);
  const auto part = layer_of(to.payload(), shape_.n_layers, layer);
  const std::int64_t payload = chunk_file_bytes(shape_) - shape_.payload_bytes();
  if (!descriptor_->read_at(payload + (part.data() - to.payload().data()), part)) return "truncated";
  if (bypass_page_cache_ && layer + 1 == shape_.n_layers) descriptor_->drop_pages();
  const bool right = fast_hash(part.data(), part.size()) == hashes_[static_cast<std::size_t>(layer)];
  return right ? "" : "corrupt payload";
}

OpenedFile open_chunk_file(const std::filesystem::path& path, std::string_view digest, bool bypass_page_cache) {
  auto descriptor = std::make_unique<ChunkFile::Descriptor>(path);
  if (descriptor->get() < 0) return {nullptr, errno == ENOENT || errno == ENOTDIR ? "" : std::strerror(errno)};
  struct stat info {};
  if (::fstat(descriptor->get(), &info) != 0 || !S_ISREG(info.st_mode)) return {nullptr, "not a regular file"};
  if (bypass_page_cache) descriptor->drop_pages();

  Header header;
  if (!descriptor->read_at(0, std::as_writable_bytes(std::span(&header, 1)))) return {nullptr, "truncated"};
  if (auto problem = problem_of(header, digest, info.st_size); !problem.empty()) return {nullptr, std::move(problem)};
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(header.n_layers));
  if (!descriptor->read_at(sizeof header, std::as_writable_bytes(std::span(hashes)))) return {nullptr, "truncated"};
  if (hash_of(hashes) != header.layers_hash) return {nullptr, "corrupt header"};
  const ChunkShape shape{static_cast<DType>(header.dtype), header.n_layers, header.tokens, header.kv_width};
  return {std::make_unique<ChunkFile>(std::move(descriptor), shape, std::move(hashes), bypass_page_cache), ""};
}

ReadChunk read_chunk_file(const std::filesystem::path& path, std::string_view digest, bool bypass_page_cache,
                          Backend* backend) {
  const auto [file, unusable] = open_chunk_file(path, digest, bypass_page_cache);
  if (!file) return {std::nullopt, unusable};
  HostChunk chunk(file->shape(), backend);
  for (int layer = 0; layer < file->shape().n_layers; ++layer) {
    if (auto problem = file->read_layer(layer, chunk); !problem.empty()) return {std::nullopt, std::move(problem)};
  }
  return {std::move(chunk), ""};
}

void write_chunk_file(const std::filesystem::path& path, std::string_view digest, const HostChunk& chunk) {
  Header header;
  header.magic_bytes = magic;
  require(digest.size() == header.digest.size(), "a digest of {} digits", digest.size());
  std::memcpy(header.digest.data(), digest.data(), digest.size());
  header.dtype = static_cast<std::uint32_t>(chunk.shape().dtype);
  header.n_layers = chunk.shape().n_layers;
  header.tokens = chunk.shape().tokens;
  header.kv_width = chunk.shape().kv_width;
  header.payload_bytes = chunk.payload().size();
  std::vector<std::uint64_t> hashes;
  for (int layer = 0; layer < header.n_layers; ++layer) {
    const auto part = layer_of(chunk.payload(), header.n_layers, layer);
    hashes.push_back(fast_hash(part.data(), part.size()));
  }
  header.layers_hash = hash_of(hashes);
  header.header_hash = hash_of(header);
  const auto text = [](std::span<const std::byte> bytes) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  write_file_atomically(path, {text(std::as_bytes(std::span(&header, 1))), text(std::as_bytes(std::span(hashes))),
                               text(chunk.payload())});
}

}  // namespace kvmend
