#include "cache/host_chunk.h"

#include <new>

#include "backend/device_error.h"

namespace kvmend {

std::int64_t ChunkShape::payload_bytes() const {
  if (n_layers <= 0 || tokens <= 0 || kv_width <= 0 || (dtype != DType::f32 && dtype != DType::bf16)) return -1;
  const std::int64_t rows = std::int64_t{n_layers} * tokens;  // below 2^62
  std::int64_t elements = 0, bytes = 0;
  if (__builtin_mul_overflow(rows, 2 * std::int64_t{kv_width}, &elements) ||
      __builtin_mul_overflow(elements, static_cast<std::int64_t>(dtype_bytes(dtype)), &bytes)) {
    return -1;
  }
  return bytes;
}

HostChunk::HostChunk(const ChunkShape& shape, Backend* backend) : shape_(shape) {
  const std::int64_t bytes = shape.payload_bytes();
  require(bytes >= 0, "a chunk of {} layers, {} tokens, width {} in {}", shape.n_layers, shape.tokens, shape.kv_width,
          dtype_name(shape.dtype));
  size_ = static_cast<std::size_t>(bytes);
  if (backend != nullptr) {
    HostMemory memory = backend->host_memory(size_);
    data_ = std::move(memory.data);
    held_ = memory.held;
    return;
  }
  try {
    data_ = std::shared_ptr<std::byte[]>(new std::byte[size_]);
    held_ = size_;
  } catch (const std::bad_alloc&) {
    throw OutOfMemory(fmt::format("not enough memory for a chunk cache of {} bytes; lower cache: {{memory}}", size_));
  }
}

std::span<const std::byte> HostChunk::part(int layer, bool values) const {
  const std::size_t bytes = size_ / (2 * static_cast<std::size_t>(shape_.n_layers));
  return payload().subspan((2 * static_cast<std::size_t>(layer) + (values ? 1 : 0)) * bytes, bytes);
}

std::span<std::byte> HostChunk::part(int layer, bool values) {
  const auto view = std::as_const(*this).part(layer, values);
  return payload().subspan(static_cast<std::size_t>(view.data() - data_.get()), view.size());
}

namespace {

/// Runs `copies`, then waits for them, also where they throw: memory must not go while they are under way.
template <class Copies>
void and_finish(Queue& queue, const Copies& copies) {
  try {
    copies();
  } catch (...) {
    queue.finish();
    throw;
  }
  queue.finish();
}

}  // namespace

HostChunk download_chunk(Backend& backend, Queue& queue, const ChunkCache& cache) {
  require(!cache.layers.empty(), "a chunk cache without layers");
  const Tensor& first = cache.layers.front().k;
  HostChunk chunk({first.dtype(), static_cast<std::int32_t>(cache.layers.size()), cache.tokens,
                   static_cast<std::int32_t>(first.cols())},
                  &backend);
  const auto download = [&](std::span<std::byte> to, const Tensor& from) {
    require(from.dtype() == first.dtype() && from.rows() == cache.tokens && from.cols() == first.cols(),
            "a chunk cache's tensors differ: {} [{}, {}] and {} [{}, {}]", dtype_name(from.dtype()), from.rows(),
            from.cols(), dtype_name(first.dtype()), cache.tokens, first.cols());
    if (from.stride() == from.cols()) return queue.download_raw(to, from);
    const Tensor dense = backend.allocate(from.dtype(), from.rows(), from.cols());
    queue.copy(dense, from);
    queue.download_raw(to, dense);
  };
  and_finish(queue, [&] {
    for (int layer = 0; layer < chunk.shape().n_layers; ++layer) {
      const LayerKv& kv = cache.layers[static_cast<std::size_t>(layer)];
      download(chunk.part(layer, false), kv.k);
      download(chunk.part(layer, true), kv.v);
    }
  });
  return chunk;
}

std::shared_ptr<const ChunkCache> upload_chunk(Backend& backend, Queue& queue, const HostChunk& chunk) {
  const ChunkShape& shape = chunk.shape();
  auto cache = std::make_shared<ChunkCache>();
  cache->tokens = shape.tokens;
  and_finish(queue, [&] {
    for (int layer = 0; layer < shape.n_layers; ++layer) {
      const LayerKv kv{backend.allocate(shape.dtype, shape.tokens, shape.kv_width),
                       backend.allocate(shape.dtype, shape.tokens, shape.kv_width)};
      queue.upload_raw(kv.k, chunk.part(layer, false));
      queue.upload_raw(kv.v, chunk.part(layer, true));
      cache->layers.push_back(kv);
    }
  });
  return cache;
}

}  // namespace kvmend
