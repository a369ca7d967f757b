#include "backend/host/host_queue.h"

#include <algorithm>
#include <cstring>

#include "backend/host/host_buffer.h"

namespace kvmend {

void HostQueue::do_upload(const Tensor& to, std::span<const float> from) {
  const std::int64_t cols = to.cols();
  for (std::int64_t r = 0; r < to.rows(); ++r) {
    const float* row = from.data() + r * cols;
    if (to.dtype() == DType::bf16)
      std::transform(row, row + cols, host_data<Bf16>(to) + r * to.stride(), to_bf16);
    else
      std::copy_n(row, cols, host_data<float>(to) + r * to.stride());
  }
}

void HostQueue::do_upload(const Tensor& to, std::span<const std::int32_t> from) {
  for (std::int64_t r = 0; r < to.rows(); ++r)
    std::copy_n(from.data() + r * to.cols(), to.cols(), host_data<std::int32_t>(to) + r * to.stride());
}

void HostQueue::do_download(std::span<float> to, const Tensor& from) {
  const std::int64_t cols = from.cols();
  for (std::int64_t r = 0; r < from.rows(); ++r) {
    float* row = to.data() + r * cols;
    if (from.dtype() == DType::bf16) {
      const Bf16* values = host_data<Bf16>(from) + r * from.stride();
      std::transform(values, values + cols, row, [](Bf16 value) { return to_float(value); });
    } else {
      std::copy_n(host_data<float>(from) + r * from.stride(), cols, row);
    }
  }
}

void HostQueue::do_download(std::span<std::int32_t> to, const Tensor& from) {
  for (std::int64_t r = 0; r < from.rows(); ++r)
    std::copy_n(host_data<std::int32_t>(from) + r * from.stride(), from.cols(), to.data() + r * from.cols());
}

void HostQueue::do_download_raw(std::span<std::byte> to, const Tensor& from) {
  if (!to.empty()) std::memcpy(to.data(), host_bytes(from), to.size());
}

void HostQueue::do_upload_raw(const Tensor& to, std::span<const std::byte> from) {
  if (!from.empty()) std::memcpy(host_bytes(to), from.data(), from.size());
}

Tensor HostQueue::do_allocate(DType dtype, std::int64_t rows, std::int64_t cols) {
  return allocate_host(dtype, rows, cols);
}

}  // namespace kvmend
