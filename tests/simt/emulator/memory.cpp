#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "device.h"
#include "options.h"
#include "sanitizers.h"

namespace simt {

namespace {

constexpr std::size_t kGuard = 256, kKept = std::size_t{64} << 20U;
constexpr int kPoison = 0xff;  // NaN as float32, float16 and bf16

bool untouched(const unsigned char* begin, std::size_t bytes) {
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

Memory::~Memory() {
  for (const auto& [address, allocation] : live_) {
    auto* raw = reinterpret_cast<unsigned char*>(address) - kGuard;
    unpoison(raw, padded(allocation.bytes) + 2 * kGuard);
    std::free(raw);
  }
  for (const auto& [raw, size] : freed_) {
    unpoison(raw, size);
    std::free(raw);
  }
}

void* Memory::allocate(std::size_t bytes, Kind kind) {
  if (kind == Kind::device) {
    if (used_ + bytes > options().memory) return nullptr;
    if (strikes(options().allocations_left)) refusals_ = options().refusals;
    if (refusals_ > 0) {
      --refusals_;
      return nullptr;
    }
    ++allocations_;
    used_ += bytes;
    most_used_ = std::max(most_used_, used_ - retired_);
  }
  auto* raw = static_cast<unsigned char*>(std::aligned_alloc(kGuard, padded(bytes) + 2 * kGuard));
  if (raw == nullptr) return nullptr;
  const Unwatched unwatched;
  std::memset(raw, kPoison, padded(bytes) + 2 * kGuard);
  poison(raw, kGuard);
  poison(raw + kGuard + bytes, padded(bytes) - bytes + kGuard);
  live_[reinterpret_cast<std::uintptr_t>(raw + kGuard)] = {bytes, kind, false};
  return raw + kGuard;
}

bool Memory::retire(void* address) {
  const auto found = live_.find(reinterpret_cast<std::uintptr_t>(address));
  if (found == live_.end() || found->second.retired) return false;
  const std::size_t bytes = found->second.bytes;
  if (seen_at_release_.empty()) seen_at_release_ = damage_of(static_cast<unsigned char*>(address), bytes);
  found->second.retired = true;
  retired_ += bytes;
  const Unwatched unwatched;
  std::memset(address, kPoison, bytes);
  poison(address, bytes);
  return true;
}

bool Memory::revive(void* address) {
  const auto found = live_.find(reinterpret_cast<std::uintptr_t>(address));
  if (found == live_.end() || !found->second.retired) return false;
  const std::size_t bytes = found->second.bytes;
  found->second.retired = false;
  retired_ -= bytes;
  most_used_ = std::max(most_used_, used_ - retired_);
  const Unwatched unwatched;
  unpoison(address, bytes);
  if (seen_at_release_.empty() && !untouched(static_cast<unsigned char*>(address), bytes))
    seen_at_release_ = "wrote to memory that was freed";
  return true;
}

bool Memory::release(void* address) {
  revive(address);  // what was retired: was it left alone?
  const auto found = live_.find(reinterpret_cast<std::uintptr_t>(address));
  if (found == live_.end()) return false;
  const std::size_t bytes = found->second.bytes;
  const Kind kind = found->second.kind;
  live_.erase(found);
  if (seen_at_release_.empty()) seen_at_release_ = damage_of(static_cast<unsigned char*>(address), bytes);
  if (kind == Kind::device) used_ -= bytes;
  const Unwatched unwatched;
  auto* data = static_cast<unsigned char*>(address);
  std::memset(data, kPoison, bytes);
  poison(data, bytes);
  freed_.emplace_back(data - kGuard, padded(bytes) + 2 * kGuard);
  kept_ += padded(bytes);
  ++freed_since_look_;
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
  return allocation.kind == kind && !allocation.retired && at + bytes <= begin + allocation.bytes;
}

// AddressSanitizer sees more, and would object to reading guards.
std::string Memory::damage_of([[maybe_unused]] const unsigned char* data, [[maybe_unused]] std::size_t bytes) {
#if !SIMT_ASAN
  const Unwatched unwatched;
  if (!untouched(data - kGuard, kGuard)) return "wrote before the beginning of an allocation";
  for (std::size_t i = bytes; i < bytes / 8 * 8 + 8 && i < padded(bytes); ++i)  // then whole words
    if (data[i] != kPoison) return "wrote past the end of an allocation";
  const std::size_t from = (bytes + 7) / 8 * 8;
  if (!untouched(data + from, padded(bytes) - from + kGuard)) return "wrote past the end of an allocation";
#endif
  return {};
}

std::string Memory::damage() {
  std::string found = std::exchange(seen_at_release_, {});
  for (auto it = live_.begin(); found.empty() && it != live_.end(); ++it)
    found = damage_of(reinterpret_cast<const unsigned char*>(it->first), it->second.bytes);
#if !SIMT_ASAN
  const Unwatched unwatched;
  const std::size_t looked_at = std::min(freed_.size(), std::max<std::size_t>(freed_since_look_, 4));
  freed_since_look_ = 0;
  for (std::size_t i = freed_.size() - looked_at; found.empty() && i < freed_.size(); ++i)
    if (!untouched(freed_[i].first, std::min<std::size_t>(freed_[i].second, 65536)))
      found = "wrote to memory that was freed";
#endif
  return found;
}

}  // namespace simt
