#pragma once
#include <cuda_runtime_api.h>

#include <cstddef>
#include <list>
#include <map>
#include <vector>

namespace kvmend::cuda {

/// Freed blocks that the next allocation of the same size has: a layer's are those of the layer before, so that in a layer
/// nothing is asked of the driver. One stream uses a block, and uses it again behind that: reuse waits for nothing. Who
/// works on a block in another stream holds it until he is done (CudaUploads does).
class FreeBlocks {
 public:
  /// Keeps at most `limit` bytes; 0 keeps nothing. The stream is there as long as this is.
  FreeBlocks(cudaStream_t stream, std::size_t limit) : stream_(stream), limit_(limit) {}
  ~FreeBlocks() { clear(); }
  FreeBlocks(const FreeBlocks&) = delete;
  FreeBlocks& operator=(const FreeBlocks&) = delete;

  /// A kept block of exactly this size, the one freed last; null if there is none. Its content is whatever it held.
  void* take(std::size_t bytes);
  /// Takes over a block from cudaMallocAsync. Beyond the limit the blocks freed longest ago go back to CUDA's pool, in the
  /// stream's order.
  void put(void* address, std::size_t bytes) noexcept;
  /// All of them go back.
  void clear() noexcept { shrink_to(0); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Block {
    void* address;
    std::size_t bytes;
  };
  void shrink_to(std::size_t wanted) noexcept;

  cudaStream_t stream_;
  std::size_t limit_, bytes_ = 0;
  std::list<Block> blocks_;                                                 ///< the one freed last is at the back
  std::map<std::size_t, std::vector<std::list<Block>::iterator>> by_size_;  ///< each in the same order
};

}  // namespace kvmend::cuda
