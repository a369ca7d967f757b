#include "backend/cuda/free_blocks.h"

#if defined(KVMEND_EMULATED)
#include "kept_memory.h"
#endif

namespace kvmend::cuda {

namespace {

// On the emulated card a kept block counts as freed, so that whoever still touches it is found, and a block that is handed out
// again holds NaN as a new one does.
void retire([[maybe_unused]] void* address, [[maybe_unused]] cudaStream_t stream) {
#if defined(KVMEND_EMULATED)
  simtRetire(address, stream);
#endif
}
void revive([[maybe_unused]] void* address, [[maybe_unused]] cudaStream_t stream) {
#if defined(KVMEND_EMULATED)
  simtRevive(address, stream);
#endif
}

}  // namespace

void* FreeBlocks::take(std::size_t bytes) {
  const auto found = by_size_.find(bytes);
  if (found == by_size_.end()) return nullptr;
  const auto last = found->second.back();
  void* address = last->address;
  found->second.pop_back();
  if (found->second.empty()) by_size_.erase(found);
  blocks_.erase(last);
  bytes_ -= bytes;
  revive(address, stream_);
  return address;
}

void FreeBlocks::put(void* address, std::size_t bytes) noexcept {
  if (bytes > limit_) {
    cudaFreeAsync(address, stream_);
    return;
  }
  try {
    auto& of_size = by_size_[bytes];
    of_size.reserve(of_size.size() + 1);
    of_size.push_back(blocks_.insert(blocks_.end(), {address, bytes}));
  } catch (...) {  // the host has no memory for the list
    if (const auto found = by_size_.find(bytes); found != by_size_.end() && found->second.empty())
      by_size_.erase(found);
    cudaFreeAsync(address, stream_);
    return;
  }
  bytes_ += bytes;
  retire(address, stream_);
  shrink_to(limit_);
}

void FreeBlocks::shrink_to(std::size_t wanted) noexcept {
  while (bytes_ > wanted) {
    const auto found = by_size_.find(blocks_.front().bytes);
    found->second.erase(found->second.begin());
    if (found->second.empty()) by_size_.erase(found);
    bytes_ -= blocks_.front().bytes;
    cudaFreeAsync(blocks_.front().address, stream_);
    blocks_.pop_front();
  }
}

}  // namespace kvmend::cuda
