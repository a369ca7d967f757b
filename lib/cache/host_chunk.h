#pragma once
// A chunk cache as bytes in host memory: what `load_from: host` keeps and what goes to disk.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "cache/chunk_cache.h"

namespace kvmend {

/// What the bytes of a chunk cache mean.
struct ChunkShape {
  DType dtype = DType::f32;
  std::int32_t n_layers = 0, tokens = 0, kv_width = 0;  ///< kv_width = n_kv_heads · head_dim
  /// Of all layers' keys and values; −1 if a dimension is not positive, the type is no compute dtype, or the product
  /// leaves 63 bits (a file said so).
  std::int64_t payload_bytes() const;
  friend bool operator==(const ChunkShape&, const ChunkShape&) = default;
};

/// Payload: for each layer the rows of k, then the rows of v, as the device stored them.
class HostChunk {
 public:
  HostChunk() = default;
  HostChunk(HostChunk&&) = default;
  HostChunk& operator=(HostChunk&&) = default;
  /// Uninitialised payload, in the backend's host memory if one is given. Throws OutOfMemory.
  explicit HostChunk(const ChunkShape& shape, Backend* backend = nullptr);

  const ChunkShape& shape() const { return shape_; }
  std::span<std::byte> payload() { return {data_.get(), size_}; }
  std::span<const std::byte> payload() const { return {data_.get(), size_}; }
  /// Memory that is gone while it lives: a backend's comes in blocks, which may be larger than the payload.
  std::int64_t held_bytes() const { return static_cast<std::int64_t>(held_); }
  /// One layer's k or v.
  std::span<std::byte> part(int layer, bool values);
  std::span<const std::byte> part(int layer, bool values) const;

 private:
  ChunkShape shape_;
  std::size_t size_ = 0, held_ = 0;
  std::shared_ptr<std::byte[]> data_;
};

/// Waits for the queue. Tensors may be views; the copy is dense.
HostChunk download_chunk(Backend& backend, Queue& queue, const ChunkCache& cache);
/// Returns when the device has it.
std::shared_ptr<const ChunkCache> upload_chunk(Backend& backend, Queue& queue, const HostChunk& chunk);

}  // namespace kvmend
