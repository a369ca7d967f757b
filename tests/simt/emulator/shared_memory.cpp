#include "shared_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "sanitizers.h"
#include "thread.h"

namespace simt {

namespace {

constexpr std::size_t kBytes = std::size_t{512} << 10U, kGuard = 64;
constexpr int kPoison = 0xff;

std::size_t aligned(std::size_t bytes) { return (bytes + kGuard - 1) / kGuard * kGuard; }

}  // namespace

SharedMemory::SharedMemory() : memory_(static_cast<unsigned char*>(std::aligned_alloc(128, kBytes))) {
  std::memset(memory_, kPoison, kBytes);
}

SharedMemory::~SharedMemory() {
  unpoison(memory_, kBytes);
  std::free(memory_);
}

void SharedMemory::begin_block() {
  unpoison(memory_, kBytes);
  std::memset(memory_, kPoison, used_ + kGuard);
  arrays_.clear();
  used_ = sum_ = 0;
}

unsigned char* SharedMemory::array(const void* key, std::size_t bytes, std::size_t limit) {
  for (const Array& array : arrays_)
    if (array.key == key) return memory_ + array.begin;
  sum_ += bytes;
  if (sum_ > limit) trap("shared memory of " + std::to_string(sum_) + " bytes; the limit is " + std::to_string(limit));
  const std::size_t begin = used_ + 2 * kGuard, end = begin + bytes;
  if (end + kGuard > kBytes) trap("the emulator has no room for " + std::to_string(sum_) + " bytes of shared memory");
  poison(memory_ + used_, begin - used_);
  used_ = aligned(end);
  poison(memory_ + end, used_ + kGuard - end);
  arrays_.push_back({key, begin, bytes});
  return memory_ + begin;
}

bool SharedMemory::guards_intact() const {
  unpoison(memory_, kBytes);
  std::size_t from = 0;
  const auto untouched = [&](std::size_t begin, std::size_t end) {
    return std::all_of(memory_ + begin, memory_ + end, [](unsigned char byte) { return byte == kPoison; });
  };
  for (const Array& array : arrays_) {
    if (!untouched(from, array.begin)) return false;
    from = array.begin + array.bytes;
  }
  return untouched(from, used_ + kGuard);
}

}  // namespace simt
