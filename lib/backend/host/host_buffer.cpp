#include "backend/host/host_buffer.h"

#include <sys/mman.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "core/error.h"

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

double mib(std::size_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

}  // namespace

HostBuffer::HostBuffer(std::size_t bytes) : bytes_(bytes) {
  // Linux promises memory it does not have and kills the process later: ask first.
  const std::size_t available = bytes >= kAskSystemFrom ? available_memory() : SIZE_MAX;
  const std::size_t alignment = bytes >= kHugeFrom ? kHugePage : kAlignment;
  const std::size_t padded = (bytes + alignment - 1) / alignment * alignment;
  if (bytes <= available && padded >= bytes)
    data_ = static_cast<std::byte*>(std::aligned_alloc(alignment, padded == 0 ? alignment : padded));
  if (data_ != nullptr && alignment == kHugePage) madvise(data_, padded, MADV_HUGEPAGE);  // a wish: it may be refused
  if (data_ == nullptr && available != SIZE_MAX)
    fail(ErrorKind::device, "not enough memory: {:.1f} MiB asked for, {:.1f} MiB available", mib(bytes),
         mib(available));
  if (data_ == nullptr) fail(ErrorKind::device, "not enough memory: {:.1f} MiB asked for", mib(bytes));
}

HostBuffer::~HostBuffer() { std::free(data_); }

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
