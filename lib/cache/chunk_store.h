#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "cache/chunk_cache.h"

namespace kvmend {

struct ChunkStoreOptions {
  std::int64_t memory_bytes = 4LL << 30;  ///< kept at most, besides what is in use
};

/// Chunk caches by key, least recently used out first.
class ChunkStore {
 public:
  explicit ChunkStore(ChunkStoreOptions options) : options_(std::move(options)) {}

  struct Found {
    std::shared_ptr<const ChunkCache> cache;
    double load_seconds = 0;  ///< reading a stored cache; 0 where `make` prefilled it (offline work)
  };
  using Make = std::function<std::shared_ptr<const ChunkCache>()>;
  Found get(const ChunkKey& key, Backend& backend, Queue& queue, const Make& make);

 private:
  void evict();

  struct Entry {
    std::string digest;
    std::shared_ptr<const ChunkCache> cache;
  };
  ChunkStoreOptions options_;
  std::list<Entry> recent_;  ///< front: used last
  std::unordered_map<std::string, std::list<Entry>::iterator> by_digest_;
  std::int64_t bytes_ = 0;
};

}  // namespace kvmend
