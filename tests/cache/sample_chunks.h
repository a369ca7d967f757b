#pragma once
// Chunk caches with known numbers, folders that vanish, a backend to hold them.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cache/chunk_store.h"

namespace kvmend::testing {

/// A folder that is removed with everything in it.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Bytes that depend on `seed` only.
HostChunk host_chunk(int seed, ChunkShape shape = {DType::f32, 2, 3, 4});
bool same(const HostChunk& a, const HostChunk& b);

/// A digest-shaped name: 64 hex digits that depend on `seed`.
std::string digest_of(int seed);

/// The key of a unit of `tokens` tokens.
ChunkKey key_of(int seed, int tokens = 3);

/// A store on a reference backend, and a prefill that counts its calls and makes host_chunk(seed).
class Bench {
 public:
  explicit Bench(ChunkStoreOptions options = {}, DType dtype = DType::f32);

  ChunkStore::Found get(int seed, int tokens = 3);
  ChunkStore::Opened open(int seed, int tokens = 3);
  HostChunk bits(const ChunkCache& cache) { return download_chunk(*backend, *queue, cache); }
  /// What get(seed, tokens) must give.
  HostChunk expected(int seed, int tokens = 3) const;

  std::unique_ptr<Backend> backend;
  std::unique_ptr<Queue> queue;
  std::shared_ptr<std::vector<std::string>> warnings = std::make_shared<std::vector<std::string>>();
  ChunkStore store;
  int prefills = 0;

 private:
  ChunkKey key(int seed, int tokens) const;
  ChunkStore::Make prefill(int seed, int tokens);
};

/// Bytes of host_chunk's payload at this many tokens.
std::int64_t chunk_bytes(int tokens = 3);

}  // namespace kvmend::testing
