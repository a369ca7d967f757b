#pragma once
#include <cstddef>
#include <cstdint>

#include "backend/host/bf16.h"
#include "backend/tensor.h"

namespace kvmend {

/// Memory of this process: what both CPU backends keep in a Tensor.
class HostBuffer final : public Buffer {
 public:
  /// Uninitialised, aligned to 64 bytes. Throws Error(device) when the system has less available.
  explicit HostBuffer(std::size_t bytes);
  ~HostBuffer() override;
  HostBuffer(const HostBuffer&) = delete;
  HostBuffer& operator=(const HostBuffer&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// A dense tensor of host memory. Throws Error(device) when there is not enough, Error(internal) on negative sizes.
Tensor allocate_host(DType dtype, std::int64_t rows, std::int64_t cols);

/// First element of a host tensor; null for an empty handle. Throws Error(internal) if the tensor belongs to another
/// kind of backend or holds another type.
template <class T>
T* host_data(const Tensor& tensor);
template <>
float* host_data<float>(const Tensor& tensor);
template <>
Bf16* host_data<Bf16>(const Tensor& tensor);
template <>
std::int32_t* host_data<std::int32_t>(const Tensor& tensor);

/// First byte, whatever the type.
std::byte* host_bytes(const Tensor& tensor);

/// The i32 column `indices`, every entry checked to lie in [lowest, limit): Error(internal) names the first that
/// does not.
const std::int32_t* host_indices(const Tensor& indices, std::int64_t lowest, std::int64_t limit, const char* what);

}  // namespace kvmend
