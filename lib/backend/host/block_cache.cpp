#include "backend/host/block_cache.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <mutex>

namespace kvmend {

struct BlockCache::State {
  struct Block {
    void* address;
    std::size_t bytes;
  };
  std::size_t limit;
  mutable std::mutex mutex;
  std::deque<Block> blocks;  // the one freed last is at the back
  std::size_t bytes = 0;

  void shrink_to(std::size_t wanted) {
    while (bytes > wanted) {
      std::free(blocks.front().address);
      bytes -= blocks.front().bytes;
      blocks.pop_front();
    }
  }
};

BlockCache::BlockCache(std::size_t kept_bytes) : state_(std::make_unique<State>()) { state_->limit = kept_bytes; }

BlockCache::~BlockCache() { clear(); }

void* BlockCache::take(std::size_t bytes) {
  const std::lock_guard lock(state_->mutex);
  auto& blocks = state_->blocks;
  const auto found =
      std::find_if(blocks.rbegin(), blocks.rend(), [&](const State::Block& block) { return block.bytes == bytes; });
  if (found == blocks.rend()) return nullptr;
  void* address = found->address;
  blocks.erase(std::next(found).base());
  state_->bytes -= bytes;
  return address;
}

void BlockCache::put(void* block, std::size_t bytes) {
  const std::lock_guard lock(state_->mutex);
  if (bytes > state_->limit) return std::free(block);
  state_->blocks.push_back({block, bytes});
  state_->bytes += bytes;
  state_->shrink_to(state_->limit);
}

void BlockCache::clear() {
  const std::lock_guard lock(state_->mutex);
  state_->shrink_to(0);
}

std::size_t BlockCache::bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->bytes;
}

}  // namespace kvmend
