#pragma once
#include <cuda_runtime_api.h>

#include <cstddef>
#include <vector>

namespace kvmend::cuda {

/// Pinned host memory that copies to and from the card go through: the card reads it while the host goes on. It is
/// allocated when it is first used.
class Staging {
 public:
  /// The most that one piece may have.
  static constexpr std::size_t kPiece = std::size_t{4} << 20U;

  explicit Staging(cudaStream_t stream);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// Memory for one copy to the card, to be filled and queued before the next call. It is not handed out again before
  /// the stream has passed what was queued from it.
  std::byte* piece(std::size_t bytes);
  /// Memory for one copy from the card; free again after the next wait for the stream.
  std::byte* landing();

 private:
  struct Block {
    std::byte* data = nullptr;
    cudaEvent_t left = nullptr;  ///< behind the last copy from it
  };
  cudaStream_t stream_;
  std::vector<Block> blocks_;
  std::size_t block_ = 0, used_ = 0;
  std::byte* landing_ = nullptr;
};

}  // namespace kvmend::cuda
