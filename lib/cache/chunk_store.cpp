#include "cache/chunk_store.h"

namespace kvmend {

ChunkStore::Found ChunkStore::get(const ChunkKey& key, Backend&, Queue&, const Make& make) {
  const std::string digest = key.digest();
  if (const auto found = by_digest_.find(digest); found != by_digest_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    return {found->second->cache, 0};
  }
  auto cache = make();
  recent_.push_front({digest, cache});
  by_digest_[digest] = recent_.begin();
  bytes_ += cache->bytes();
  evict();
  return {std::move(cache), 0};
}

void ChunkStore::evict() {
  while (bytes_ > options_.memory_bytes && recent_.size() > 1) {
    bytes_ -= recent_.back().cache->bytes();
    by_digest_.erase(recent_.back().digest);
    recent_.pop_back();
  }
}

}  // namespace kvmend
