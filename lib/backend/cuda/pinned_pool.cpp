#include "backend/cuda/pinned_pool.h"

#include <iterator>

#include "backend/cuda/cuda_error.h"
#include "backend/device_error.h"

namespace kvmend::cuda {

namespace {

/// Pinned pages are lost to everybody else: more than a request's chunk caches are not kept for the next.
constexpr std::size_t kMostFree = std::size_t{2} << 30U;

}  // namespace

PinnedPool::Block PinnedPool::take(std::size_t bytes) {
  constexpr std::size_t step = std::size_t{1} << 16U;
  const std::size_t rounded = (bytes + step - 1) / step * step + (bytes == 0 ? step : 0);
  const auto found = free_.lower_bound(rounded);
  if (found != free_.end() && found->first <= 2 * rounded) {
    const Block block{found->second, found->first};
    free_.erase(found);
    free_bytes_ -= block.bytes;
    taken_.emplace(block.data, block.bytes);
    return block;
  }
  void* address = nullptr;
  cudaError_t error = cudaMallocHost(&address, rounded);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    trim();
    error = cudaMallocHost(&address, rounded);
  }
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw OutOfMemory(fmt::format("not enough pinned host memory: {} bytes asked for; lower cache: {{memory}}", bytes));
  }
  check(error, "allocating pinned memory");
  const Block block{static_cast<std::byte*>(address), rounded};
  taken_.emplace(block.data, block.bytes);
  return block;
}

bool PinnedPool::has(std::span<const std::byte> bytes) const {
  const auto behind = taken_.upper_bound(bytes.data());
  if (behind == taken_.begin()) return false;
  const auto& [data, size] = *std::prev(behind);
  return bytes.data() + bytes.size() <= data + size;
}

void PinnedPool::give(Block block) {
  taken_.erase(block.data);
  if (free_bytes_ + block.bytes > kMostFree) {
    cudaFreeHost(block.data);
    return;
  }
  free_.emplace(block.bytes, block.data);
  free_bytes_ += block.bytes;
}

void PinnedPool::trim() {
  for (const auto& [bytes, data] : free_) cudaFreeHost(data);
  free_.clear();
  free_bytes_ = 0;
}

}  // namespace kvmend::cuda
