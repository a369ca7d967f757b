#pragma once
#include <cstddef>
#include <memory>

namespace kvmend {

/// Freed blocks of memory kept for the next request of the same size. A layer's activations have the sizes of the layer
/// before; handed back to the system, their pages would be cleared anew each time, which is several per cent of a
/// prefill. Used by several threads at once.
class BlockCache {
 public:
  /// At most `kept_bytes` are kept; 0 keeps nothing.
  explicit BlockCache(std::size_t kept_bytes);
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  /// A kept block of exactly this size, the one freed last (its lines are the likeliest to be cached); null if there
  /// is none. Its content is whatever it held.
  void* take(std::size_t bytes);

  /// Takes over a block from std::aligned_alloc. Beyond the limit the blocks freed longest ago go back to the system.
  void put(void* block, std::size_t bytes);

  /// Gives all of them back.
  void clear();

  std::size_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kvmend
