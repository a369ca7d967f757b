#include "model/tokenizer/merges.h"

#include <bit>

namespace kvmend {

void MergeTable::reserve(std::size_t pairs) {
  const std::size_t wanted = std::bit_ceil(pairs + pairs / 2 + 2);
  if (wanted <= slots_.size()) return;
  std::vector<Slot> old(wanted);
  old.swap(slots_);
  mask_ = wanted - 1;
  size_ = 0;
  for (const Slot& slot : old) {
    if (slot.key != empty)
      add(static_cast<std::int32_t>(slot.key >> 32), static_cast<std::int32_t>(slot.key), slot.merge);
  }
}

void MergeTable::add(std::int32_t left, std::int32_t right, Merge merge) {
  reserve(size_ + 1);
  const std::uint64_t key = key_of(left, right);
  std::size_t at = hash(key) & mask_;
  while (slots_[at].key != empty && slots_[at].key != key) at = (at + 1) & mask_;
  if (slots_[at].key == empty) ++size_;
  slots_[at] = {key, merge};
}

}  // namespace kvmend
