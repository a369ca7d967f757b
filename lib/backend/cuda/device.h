#pragma once
#include <memory>
#include <string>

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/free_blocks.h"
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
  /// Of shared memory, that a block may ask for.
  std::size_t shared_bytes() const { return shared_bytes_; }
  /// Compute capability: 80 for 8.0.
  int capability() const { return capability_; }

  /// Stream-ordered memory: what was freed in the same size (FreeBlocks), else of CUDA's pool, which keeps what it has. What
  /// a run takes is got ready before its first request (CudaBackend::expect_work). Throws OutOfMemory with the numbers when
  /// there is not enough, kept blocks given back.
  void* allocate(std::size_t bytes);
  /// `bytes` as they were asked for.
  void free(void* address, std::size_t bytes) noexcept { kept_->put(address, bytes); }
  /// Kept blocks go back to CUDA's pool, where they join to larger ones.
  void give_back() noexcept { kept_->clear(); }
  struct Memory {
    std::size_t available = 0, total = 0;
  };
  /// What is free, kept, in the pool or outside of it, once what is queued has run.
  Memory memory();
  void finish() { check(cudaStreamSynchronize(stream_), "waiting for the device"); }

 private:
  std::string name_;
  int multiprocessors_ = 1, capability_ = 0;
  std::size_t shared_bytes_ = 0;
  cudaMemPool_t pool_ = nullptr;
  cudaStream_t stream_ = nullptr;
  std::unique_ptr<FreeBlocks> kept_;
  cublasHandle_t blas_ = nullptr;
  void* workspace_ = nullptr;
  std::unique_ptr<Staging> staging_;
  PinnedPool pinned_;
};

/// Memory on a card, given back in the stream's order.
class DeviceBuffer final : public Buffer {
 public:
  DeviceBuffer(std::shared_ptr<Device> device, std::size_t bytes)
      : device_(std::move(device)), bytes_(bytes), data_(device_->allocate(bytes)) {}
  ~DeviceBuffer() override { device_->free(data_, bytes_); }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  void* data() const { return data_; }

 private:
  std::shared_ptr<Device> device_;
  std::size_t bytes_;
  void* data_;
};

/// A dense tensor on the card. Throws Error(device) when there is not enough memory, Error(internal) on negative sizes.
Tensor allocate_on(const std::shared_ptr<Device>& device, DType dtype, std::int64_t rows, std::int64_t cols);

/// First byte of a tensor; null for an empty handle. Throws Error(internal) for another backend's tensor.
void* device_data(const Tensor& tensor);

}  // namespace kvmend::cuda
