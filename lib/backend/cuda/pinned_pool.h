#pragma once
#include <cstddef>
#include <map>
#include <span>

namespace kvmend::cuda {

/// Pinned host memory in blocks that are used again: pinning a gigabyte takes the driver a good part of a second.
class PinnedPool {
 public:
  ~PinnedPool() { trim(); }
  PinnedPool() = default;
  PinnedPool(const PinnedPool&) = delete;
  PinnedPool& operator=(const PinnedPool&) = delete;

  struct Block {
    std::byte* data = nullptr;
    std::size_t bytes = 0;
  };
  /// At least that many bytes. Throws OutOfMemory.
  Block take(std::size_t bytes);
  void give(Block block);
  /// Whether these bytes are in a block that somebody has: the card may copy from and to them directly.
  bool has(std::span<const std::byte> bytes) const;
  /// Gives what nobody has back to the system.
  void trim();

 private:
  std::map<const std::byte*, std::size_t> taken_;
  std::multimap<std::size_t, std::byte*> free_;
  std::size_t free_bytes_ = 0;
};

}  // namespace kvmend::cuda
