#pragma once
#include <deque>

#include "backend/backend.h"
#include "backend/cuda/device.h"

namespace kvmend::cuda {

/// Copies on a stream of their own.
class CudaUploads final : public Uploads {
 public:
  explicit CudaUploads(std::shared_ptr<Device> device);
  ~CudaUploads() override;
  std::int64_t begin(const Tensor& to, std::span<const std::byte> from) override;
  double wait(std::int64_t number) override;
  void order(std::int64_t number) override;

 private:
  struct Copy {
    explicit Copy(Tensor target) : to(std::move(target)) {}
    Tensor to;  ///< lives as long as the copy runs
    cudaEvent_t begun = nullptr, done = nullptr;
  };
  double drop_first();

  std::shared_ptr<Device> device_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t allocated_ = nullptr;
  std::deque<Copy> copies_;  ///< begun and not waited for
  std::int64_t first_ = 0;   ///< number of copies_.front()
};

}  // namespace kvmend::cuda
