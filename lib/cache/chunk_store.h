#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cache/arriving_chunk.h"
#include "cache/chunk_cache.h"
#include "cache/chunk_folder.h"
#include "cache/recently_used.h"

namespace kvmend {

/// Where a chunk's cache lies when a request begins: what `load` seconds measure.
enum class LoadFrom : std::uint8_t {
  device,  ///< on the device already: nothing to load
  host,    ///< in host memory, uploaded on every use
  disk,    ///< in a file, past the page cache, read and uploaded on every use
};

struct ChunkStoreOptions {
  std::int64_t memory_bytes = 4LL << 30;  ///< device or host memory kept at most, besides what is in use
  /// Of a device with memory of its own: host memory for what leaves the device or, with load_from: host, for all; 0: none
  /// for the former, memory_bytes for the latter.
  std::int64_t host_bytes = 0;
  LoadFrom load_from = LoadFrom::device;
  std::filesystem::path folder = {};  ///< for caches on disk; empty: none are written or read
  std::int64_t disk_bytes = 20LL << 30;
  Warn warn = {};  ///< empty: one line on stderr
};

struct ChunkStoreStats {
  std::int64_t memory_hits = 0, disk_hits = 0, misses = 0;
  std::int64_t memory_bytes = 0;  ///< kept now
  std::int64_t evicted = 0;       ///< from memory, for want of room
  std::int64_t spilled = 0;       ///< of these to host memory
  std::int64_t bytes_read = 0, bytes_written = 0, rejected_files = 0, evicted_files = 0;
  double load_seconds = 0;
};

/// Chunk caches by key: in memory (the least recently used go first, what is in use stays), then on disk if asked for,
/// then made. A cache from anywhere has the same bits. Not thread-safe; any number of processes may share a folder.
class ChunkStore {
 public:
  /// Throws Error(usage) for load_from: disk without a folder, and for negative limits.
  explicit ChunkStore(ChunkStoreOptions options);

  struct Found {
    std::shared_ptr<const ChunkCache> cache;
    /// What bringing a stored cache to the device took: 0 from the device, and where `make` prefilled it (offline
    /// work). With load_from host or disk a cache that was just made is stored and loaded like any other.
    double load_seconds = 0;
  };
  /// A cache where it lies, one of the three: what is not on the device is to be copied there layer by layer.
  struct Opened {
    std::shared_ptr<const ChunkCache> cache = {};
    std::shared_ptr<const HostChunk> host = {};
    std::shared_ptr<ArrivingChunk> arriving = {};
    double load_seconds = 0;  ///< spent on finding it there
    static Opened on_device(std::shared_ptr<const ChunkCache> cache, double load_seconds = 0);
    static Opened in_host_memory(std::shared_ptr<const HostChunk> host, double load_seconds = 0);
    static Opened on_disk(std::shared_ptr<ArrivingChunk> arriving, double load_seconds);
    /// What its layers are copied from, as far as they were read; null where it is on the device.
    const HostChunk* off_device() const;
    int tokens() const;
  };
  using Make = std::function<std::shared_ptr<const ChunkCache>()>;

  /// `make` prefills on a miss. Throws what it throws; Error(device) when memory runs out; with load_from: disk
  /// Error(data) if the folder cannot be written, for then there is nothing to measure.
  Found get(const ChunkKey& key, Backend& backend, Queue& queue, const Make& make);
  /// The same for who copies it to the device himself, and may meet a StaleChunk while doing so.
  Opened open(const ChunkKey& key, Backend& backend, Queue& queue, const Make& make);

  /// Frees the device's memory of caches that nobody uses now; they go to host memory where there is room.
  void release_unused(Backend& backend, Queue& queue);

  ChunkStoreStats stats() const;

 private:
  Opened from_device(const std::string& digest, Backend& backend, Queue& queue, const Make& make);
  Opened from_host(const std::string& digest, Backend& backend, Queue& queue, const Make& make);
  Opened from_disk(const std::string& digest, Backend& backend, Queue& queue, const Make& make);
  /// Caches that nobody uses leave the device until it holds no more than `limit` bytes of them, to host memory where there
  /// is room.
  void make_room(std::int64_t limit, Backend& backend, Queue& queue);
  std::shared_ptr<const HostChunk> spill(const std::string& digest, const ChunkCache& cache, Backend& backend,
                                         Queue& queue);
  std::shared_ptr<const HostChunk> keep_on_host(const std::string& digest, HostChunk chunk);
  std::shared_ptr<const ChunkCache> prefill(const Make& make);

  ChunkStoreOptions options_;
  RecentlyUsed<ChunkCache> on_device_;
  RecentlyUsed<HostChunk> on_host_;
  std::optional<ChunkFolder> folder_;
  ChunkStoreStats counted_;
};

}  // namespace kvmend
