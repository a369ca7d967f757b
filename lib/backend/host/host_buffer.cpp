#include "backend/host/host_buffer.h"

#include <sys/mman.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "backend/device_error.h"
#include "backend/host/block_cache.h"

namespace kvmend {

namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20U;
constexpr std::size_t kHugeFrom = 2 * kHugePage;  // weights and inner activations, whose rows lie a page apart
constexpr std::size_t kAskSystemFrom = std::size_t{64} << 20U;  // smaller requests are left to the allocator

/// Bytes the system says can be had without swapping; SIZE_MAX where it does not say.
std::size_t available_memory() {
  std::ifstream info("/proc/meminfo");
  for (std::string key, unit; info >> key;) {
    std::size_t kib = 0;
    if (!(info >> kib)) break;
    if (key == "MemAvailable:") return kib * 1024;
    std::getline(info, unit);
  }
  return SIZE_MAX;
}

constexpr std::size_t kKeepFrom = std::size_t{128} << 10U;  // smaller ones the allocator keeps by itself

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kKept = 0;  // a use after free has to stay one
#else
constexpr std::size_t kKept = std::size_t{256} << 20U;
#endif

/// Freed buffers of this process. Never destroyed: the last buffer may outlive every other static object.
BlockCache& freed_blocks() {
  static BlockCache& cache = *new BlockCache(kKept);
  return cache;
}

std::size_t alignment_of(std::size_t bytes) { return bytes >= kHugeFrom ? kHugePage : kAlignment; }

/// Whole steps of the alignment, at least one; 0 where that has no size in std::size_t.
std::size_t padded(std::size_t bytes) {
  const std::size_t alignment = alignment_of(bytes);
  return bytes == 0 ? alignment : (bytes + alignment - 1) / alignment * alignment;
}

/// Null when the system has no block of this size.
std::byte* allocate_block(std::size_t bytes) {
  const std::size_t size = padded(bytes);
  if (size < bytes) return nullptr;
  if (size >= kKeepFrom)
    if (void* kept = freed_blocks().take(size)) return static_cast<std::byte*>(kept);
  void* block = std::aligned_alloc(alignment_of(bytes), size);
  if (block == nullptr) {
    freed_blocks().clear();
    block = std::aligned_alloc(alignment_of(bytes), size);
  }
  if (block != nullptr && alignment_of(bytes) == kHugePage)
    madvise(block, size, MADV_HUGEPAGE);  // a wish: it may be refused
  return static_cast<std::byte*>(block);
}

double mib(std::size_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

}  // namespace

HostBuffer::HostBuffer(std::size_t bytes) : bytes_(bytes) {
  // Linux promises memory it does not have and kills the process later: ask first.
  std::size_t available = SIZE_MAX;
  if (bytes >= kAskSystemFrom) {
    freed_blocks().clear();
    available = available_memory();
  }
  if (bytes <= available) data_ = allocate_block(bytes);
  if (data_ == nullptr && available != SIZE_MAX)
    throw OutOfMemory(
        fmt::format("not enough memory: {:.1f} MiB asked for, {:.1f} MiB available", mib(bytes), mib(available)));
  if (data_ == nullptr) throw OutOfMemory(fmt::format("not enough memory: {:.1f} MiB asked for", mib(bytes)));
}

HostBuffer::~HostBuffer() {
  const std::size_t size = padded(bytes_);
  if (size >= kKeepFrom)
    freed_blocks().put(data_, size);
  else
    std::free(data_);
}

Tensor allocate_host(DType dtype, std::int64_t rows, std::int64_t cols) {
  require(rows >= 0 && cols >= 0, "allocate: a tensor of [{}, {}]", rows, cols);
  std::int64_t elements = 0, bytes = 0;
  if (__builtin_mul_overflow(rows, cols, &elements) ||
      __builtin_mul_overflow(elements, static_cast<std::int64_t>(dtype_bytes(dtype)), &bytes))
    fail(ErrorKind::device, "not enough memory: a tensor of [{}, {}] has no size in 63 bits", rows, cols);
  return {std::make_shared<HostBuffer>(static_cast<std::size_t>(bytes)), dtype, rows, cols};
}

std::byte* host_bytes(const Tensor& tensor) {
  if (!tensor) return nullptr;
  const auto* buffer = dynamic_cast<const HostBuffer*>(tensor.buffer());
  require(buffer != nullptr, "a tensor of another device reached a CPU backend");
  return buffer->data() + static_cast<std::size_t>(tensor.offset()) * dtype_bytes(tensor.dtype());
}

namespace {

template <class T>
T* typed(const Tensor& tensor, DType dtype) {
  require(!tensor || tensor.dtype() == dtype, "a {} tensor where {} was expected", dtype_name(tensor.dtype()),
          dtype_name(dtype));
  return reinterpret_cast<T*>(host_bytes(tensor));
}

}  // namespace

template <>
float* host_data<float>(const Tensor& tensor) {
  return typed<float>(tensor, DType::f32);
}
template <>
Bf16* host_data<Bf16>(const Tensor& tensor) {
  return typed<Bf16>(tensor, DType::bf16);
}
template <>
std::int32_t* host_data<std::int32_t>(const Tensor& tensor) {
  return typed<std::int32_t>(tensor, DType::i32);
}

const std::int32_t* host_indices(const Tensor& indices, std::int64_t lowest, std::int64_t limit, const char* what) {
  const std::int32_t* values = host_data<std::int32_t>(indices);
  require(indices.rows() <= 1 || indices.stride() == 1, "{}: a strided index list", what);
  for (std::int64_t i = 0; i < indices.rows(); ++i)
    require(values[i] >= lowest && values[i] < limit, "{}: entry {} is {}, outside [{}, {})", what, i, values[i],
            lowest, limit);
  return values;
}

}  // namespace kvmend
