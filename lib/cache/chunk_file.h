#pragma once
// One chunk cache in one file. Header of 128 bytes, in the byte order of the machine that wrote it:
//     0  magic "kvmend\xc5\n"       8  u32 0x01020304      12  u32 format version
//    16  64 hex digits: the key's digest                   80  u32 dtype (0 f32, 1 bf16)
//    84  i32 n_layers              88  i32 tokens          92  i32 kv_width
//    96  u64 payload bytes        104  u64 XXH3 of the layers' hashes
//   112  u64 zero                 120  u64 XXH3 of bytes [0, 120)
// then a u64 XXH3 of each layer's part of the payload, the payload (host_chunk.h) and nothing behind it.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/host_chunk.h"

namespace kvmend {

/// A file whose header and size are right. Layers are read and verified one after the other, so that work on the first
/// can begin before the last is there; a file that is replaced meanwhile stays what it was.
class ChunkFile {
 public:
  class Descriptor;
  ChunkFile(std::unique_ptr<Descriptor> descriptor, ChunkShape shape, std::vector<std::uint64_t> hashes,
            bool bypass_page_cache);
  ~ChunkFile();
  ChunkFile(const ChunkFile&) = delete;
  ChunkFile& operator=(const ChunkFile&) = delete;

  const ChunkShape& shape() const { return shape_; }
  /// Into `to`, of the same shape. What is wrong with that part of the file, or "".
  std::string read_layer(int layer, HostChunk& to) const;

 private:
  std::unique_ptr<Descriptor> descriptor_;
  ChunkShape shape_;
  std::vector<std::uint64_t> hashes_;  ///< [n_layers]
  bool bypass_page_cache_;
};

struct OpenedFile {
  std::unique_ptr<ChunkFile> file;  ///< null: not there, or not usable
  std::string problem;              ///< why a file that is there cannot be used: truncated, another key's …
};

/// `bypass_page_cache`: the file's pages are dropped before it is read and behind its last layer, so that the bytes come
/// from the disk. Never throws for what a file holds.
OpenedFile open_chunk_file(const std::filesystem::path& path, std::string_view digest, bool bypass_page_cache);

struct ReadChunk {
  std::optional<HostChunk> chunk;  ///< nullopt: not there, or not usable
  std::string problem;             ///< why a file that is there cannot be used: truncated, corrupt, another key's …
};

/// Opens, reads and verifies everything. Throws Error(device) when memory runs out. The payload lies in the backend's
/// host memory, if one is given.
ReadChunk read_chunk_file(const std::filesystem::path& path, std::string_view digest, bool bypass_page_cache,
                          Backend* backend = nullptr);

/// Temporary name, fsync, rename. Throws Error(data) (a full disk, a read-only folder).
void write_chunk_file(const std::filesystem::path& path, std::string_view digest, const HostChunk& chunk);

/// Size of the file that holds such a chunk.
std::int64_t chunk_file_bytes(const ChunkShape& shape);

}  // namespace kvmend
