#pragma once
#include <deque>
#include <memory>

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

 private:
  struct DestroyEvent {
    void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
  };
  using Event = std::unique_ptr<CUevent_st, DestroyEvent>;
  struct Copy {
    Tensor to;  ///< lives as long as the copy runs
    Event begun, done;
  };
  static Event make_event(unsigned flags);
  double drop_first();

  std::shared_ptr<Device> device_;
  cudaStream_t stream_ = nullptr;
  Event allocated_;
  std::deque<Copy> copies_;  ///< begun and not waited for
  std::int64_t first_ = 0;   ///< number of copies_.front()
};

}  // namespace kvmend::cuda
