#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "device.h"
#include "options.h"
#include "sanitizers.h"

namespace simt {

namespace {

constexpr std::size_t kGuard = 256, kKept = std::size_t{64} << 20U;
constexpr int kPoison = 0xff;  // NaN as float32, float16 and bf16

[[maybe_unused]] bool untouched(const unsigned char* begin, std::size_t bytes) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(begin);  // guards are aligned
  std::size_t i = 0;
  for (; i + 8 <= bytes; i += 8)
    if (words[i / 8] != ~std::uint64_t{0}) return false;
  for (; i < bytes; ++i)
    if (begin[i] != kPoison) return false;
  return true;
}

std::size_t padded(std::size_t bytes) { return (bytes + kGuard - 1) / kGuard * kGuard; }

}  // namespace

void* Memory::allocate(std::size_t bytes, Kind kind) {
  if (kind == Kind::device) {
    if (used_ + bytes > options().memory || options().allocations_left == 0) {
      options().allocations_left = -1;
      return nullptr;
    }
    if (options().allocations_left > 0) --options().allocations_left;
    used_ += bytes;
  }
  auto* raw = static_cast<unsigned char*>(std::aligned_alloc(kGuard, padded(bytes) + 2 * kGuard));
  if (raw == nullptr) return nullptr;
  const Unwatched unwatched;
  std::memset(raw, kPoison, padded(bytes) + 2 * kGuard);
  poison(raw, kGuard);
  poison(raw + kGuard + bytes, padded(bytes) - bytes + kGuard);
  live_[reinterpret_cast<std::uintptr_t>(raw + kGuard)] = {bytes, kind};
  return raw + kGuard;
}

bool Memory::release(void* address) {
  const auto found = live_.find(reinterpret_cast<std::uintptr_t>(address));
  if (found == live_.end()) return false;
  const auto [bytes, kind] = found->second;
  live_.erase(found);
  if (kind == Kind::device) used_ -= bytes;
  const Unwatched unwatched;
  auto* data = static_cast<unsigned char*>(address);
  std::memset(data, kPoison, bytes);
  poison(data, bytes);
  freed_.emplace_back(data - kGuard, padded(bytes) + 2 * kGuard);
  kept_ += padded(bytes);
  while (kept_ > kKept && freed_.size() > 1) {
    const auto [oldest, size] = freed_.front();
    freed_.pop_front();
    kept_ -= size - 2 * kGuard;
    unpoison(oldest, size);
    std::free(oldest);
  }
  return true;
}

bool Memory::covers(const void* address, std::size_t bytes, Kind kind) const {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  auto next = live_.upper_bound(at);
  if (next == live_.begin()) return false;
  const auto& [begin, allocation] = *std::prev(next);
  return allocation.kind == kind && at + bytes <= begin + allocation.bytes;
}

// AddressSanitizer sees more, and would object to reading guards.
std::string Memory::damage() const {
#if !SIMT_ASAN
  const Unwatched unwatched;
  for (const auto& [begin, allocation] : live_) {
    const auto* data = reinterpret_cast<const unsigned char*>(begin);
    if (!untouched(data - kGuard, kGuard)) return "wrote before the beginning of an allocation";
    const std::size_t end = allocation.bytes / 8 * 8;  // whole words are compared faster
    for (std::size_t i = allocation.bytes; i < end + 8 && i < padded(allocation.bytes); ++i)
      if (data[i] != kPoison) return "wrote past the end of an allocation";
    const std::size_t from = (allocation.bytes + 7) / 8 * 8;
    if (!untouched(data + from, padded(allocation.bytes) - from + kGuard)) return "wrote past the end of an allocation";
  }
  if (!freed_.empty()) {  // the latest: older ones were looked at before
    const std::size_t looked_at = std::min<std::size_t>(freed_.size(), 4);
    for (std::size_t i = freed_.size() - looked_at; i < freed_.size(); ++i)
      if (!untouched(freed_[i].first, std::min<std::size_t>(freed_[i].second, 65536)))
        return "wrote to memory that was freed";
  }
#endif
  return {};
}

}  // namespace simt
