#pragma once
#include "backend/backend.h"

namespace kvmend {

/// The memory operations that need no arithmetic, for queues whose tensors are host memory. Synchronous.
class HostQueue : public Queue {
 public:
  void finish() override {}

 protected:
  void do_upload(const Tensor& to, std::span<const float> from) override;
  void do_upload(const Tensor& to, std::span<const std::int32_t> from) override;
  void do_download(std::span<float> to, const Tensor& from) override;
  void do_download(std::span<std::int32_t> to, const Tensor& from) override;
  void do_download_raw(std::span<std::byte> to, const Tensor& from) override;
  void do_upload_raw(const Tensor& to, std::span<const std::byte> from) override;
  Tensor do_allocate(DType dtype, std::int64_t rows, std::int64_t cols) override;
};

}  // namespace kvmend
