#pragma once
#include <memory>
#include <string>

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/pinned_pool.h"
#include "backend/cuda/staging.h"
#include "backend/tensor.h"

namespace kvmend::cuda {

/// One card: a stream, its memory, cuBLAS. All work of a process on a card goes through the one stream, so memory that
/// is freed may be used again by what is queued later without waiting.
class Device {
 public:
  /// Throws Error(device) that says what is missing: a driver, a newer driver, that card.
  explicit Device(int ordinal);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  cudaStream_t stream() const { return stream_; }
  /// Started when it is first asked for, whole or not at all.
  cublasHandle_t blas();
  Staging& staging() { return *staging_; }
  PinnedPool& pinned() { return pinned_; }
  const std::string& name() const { return name_; }
  int multiprocessors() const { return multiprocessors_; }
  /// Compute capability: 80 for 8.0.
  int capability() const { return capability_; }

  /// Stream-ordered memory. CUDA's own pool is the arena: it keeps what it has, and what a run takes is got ready before
  /// its first request (CudaBackend::expect_work), so that nothing is asked of the driver in a layer.
  /// Throws Error(device) with the numbers when there is not enough.
  void* allocate(std::size_t bytes);
  void free(void* address) noexcept;
  struct Memory {
    std::size_t available = 0, total = 0;
  };
  /// What is free, in the pool or outside of it, once what is queued has run.
  Memory memory();
  void finish() { check(cudaStreamSynchronize(stream_), "waiting for the device"); }

 private:
  std::string name_;
  int multiprocessors_ = 1, capability_ = 0;
  cudaMemPool_t pool_ = nullptr;
  cudaStream_t stream_ = nullptr;
  cublasHandle_t blas_ = nullptr;
  void* workspace_ = nullptr;
  std::unique_ptr<Staging> staging_;
  PinnedPool pinned_;
};

/// Memory on a card, given back in the stream's order.
class DeviceBuffer final : public Buffer {
 public:
  DeviceBuffer(std::shared_ptr<Device> device, std::size_t bytes)
      : device_(std::move(device)), data_(device_->allocate(bytes)) {}
  ~DeviceBuffer() override { device_->free(data_); }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  void* data() const { return data_; }

 private:
  std::shared_ptr<Device> device_;
  void* data_;
};

/// A dense tensor on the card. Throws Error(device) when there is not enough memory, Error(internal) on negative sizes.
Tensor allocate_on(const std::shared_ptr<Device>& device, DType dtype, std::int64_t rows, std::int64_t cols);

/// First byte of a tensor; null for an empty handle. Throws Error(internal) for another backend's tensor.
void* device_data(const Tensor& tensor);

}  // namespace kvmend::cuda
