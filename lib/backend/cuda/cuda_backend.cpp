#include "backend/cuda/cuda_backend.h"

#include <algorithm>

#include "backend/cuda/cuda_queue.h"
#include "backend/cuda/cuda_uploads.h"
#include "core/error.h"

namespace kvmend::cuda {

CudaBackend::CudaBackend(const BackendOptions& options, int ordinal)
    : compute_dtype_(options.dtype),
      threads_(std::max(1, options.threads)),
      storage_(options.weights),
      work_bytes_(options.work_bytes),
      device_(std::make_shared<Device>(ordinal)) {}

std::string CudaBackend::description() const {
  return fmt::format("{} (compute capability {}.{}, {} multiprocessors), {}{}", device_->name(),
                     device_->capability() / 10, device_->capability() % 10, device_->multiprocessors(),
                     compute_dtype_ == DType::bf16 ? "bf16 on tensor cores" : "float32 without TF32",
                     keeps_stored_ ? ", weights quantised" : "");
}

Tensor CudaBackend::allocate(DType dtype, std::int64_t rows, std::int64_t cols) {
  return allocate_on(device_, dtype, rows, cols);
}

DeviceMemory CudaBackend::memory() {
  const auto [available, total] = device_->memory();
  return {static_cast<std::int64_t>(available), static_cast<std::int64_t>(total)};
}

std::unique_ptr<Uploads> CudaBackend::make_uploads() { return std::make_unique<CudaUploads>(device_); }

HostMemory CudaBackend::host_memory(std::size_t bytes) {
  const PinnedPool::Block block = device_->pinned().take(bytes);
  const auto give = [device = device_, block](std::byte*) { device->pinned().give(block); };
  return {std::shared_ptr<std::byte[]>(block.data, give), block.bytes};
}

std::unique_ptr<Queue> CudaBackend::make_queue() { return std::make_unique<CudaQueue>(compute_dtype_, device_); }

}  // namespace kvmend::cuda
