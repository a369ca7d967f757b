#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kvmend {

/// The pairs of tokens that byte-pair encoding joins: a flat hash table, since every word of every text asks it.
class MergeTable {
 public:
  struct Merge {
    std::uint32_t rank = none;  ///< lower merges first; `none`: no such pair
    std::int32_t id = -1;       ///< the token the pair becomes
  };
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  void reserve(std::size_t pairs);
  /// A pair given twice keeps the later rank, as in the published loader.
  void add(std::int32_t left, std::int32_t right, Merge merge);

  Merge find(std::int32_t left, std::int32_t right) const {
    const std::uint64_t key = key_of(left, right);
    for (std::size_t at = hash(key) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return slots_[at].merge;
      if (slots_[at].key == empty) return {};
    }
  }
  std::size_t size() const { return size_; }

  /// Calls visit(left, right, merge) for every pair, in no particular order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.key != empty)
        visit(static_cast<std::int32_t>(slot.key >> 32), static_cast<std::int32_t>(slot.key), slot.merge);
    }
  }

 private:
  static constexpr std::uint64_t empty = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = empty;
    Merge merge;
  };

  static std::uint64_t key_of(std::int32_t left, std::int32_t right) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) | static_cast<std::uint32_t>(right);
  }
  static std::size_t hash(std::uint64_t key) {
    key *= 0x9E3779B97F4A7C15U;
    return static_cast<std::size_t>(key ^ (key >> 29));
  }

  std::vector<Slot> slots_{1};
  std::size_t mask_ = 0, size_ = 0;
};

}  // namespace kvmend
