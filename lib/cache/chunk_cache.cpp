#include "cache/chunk_cache.h"

#include "core/hash.h"

namespace kvmend {
namespace {

/// Changes whenever the meaning of the stored numbers does.
constexpr const char* format_version = "kvmend chunk 1";

void append(std::string& text, const std::vector<std::int32_t>& ids) {
  const auto size = static_cast<std::uint64_t>(ids.size());
  text.append(reinterpret_cast<const char*>(&size), sizeof size);
  text.append(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(std::int32_t));
}

}  // namespace

std::int64_t ChunkCache::bytes() const {
  std::int64_t sum = 0;
  for (const LayerKv& layer : layers) sum += layer.k.bytes() + layer.v.bytes();
  return sum;
}

std::string ChunkKey::digest() const {
  std::string text = std::string(format_version) + '\n' + weights_sha256 + '\n' + std::string(dtype_name(dtype)) +
                     '\n' + backend + '\n';
  append(text, sink_ids);
  append(text, neighbour_ids);
  append(text, unit_ids);
  return sha256(text);
}

}  // namespace kvmend
