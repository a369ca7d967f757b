#pragma once
#include <array>
#include <cstdint>
#include <utility>

namespace simt {

/// The threads of a block that may run, in the order they will: each is in it once at most.
class ReadyQueue {
 public:
  bool empty() const { return begin_ == end_; }
  void clear() { begin_ = end_ = 0; }
  void push_back(unsigned thread) { at(end_++) = thread; }
  void push_front(unsigned thread) { at(--begin_) = thread; }
  unsigned pop_front() { return at(begin_++); }

 private:
  static constexpr unsigned kThreads = 1024;  // of a block; positions wrap around
  unsigned& at(unsigned position) { return threads_[position % kThreads]; }
  std::array<unsigned, kThreads> threads_{};
  unsigned begin_ = 0, end_ = 0;
};

/// SplitMix64: a schedule needs many numbers and no more than that they differ.
class Random {
 public:
  explicit Random(unsigned seed) : state_(seed) {}
  unsigned next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return static_cast<unsigned>(z >> 32U);
  }
  unsigned below(unsigned bound) { return static_cast<unsigned>(std::uint64_t{next()} * bound >> 32U); }
  template <class T>
  void shuffle(T* begin, unsigned count) {
    for (unsigned i = count; i > 1; --i) std::swap(begin[i - 1], begin[below(i)]);
  }

 private:
  std::uint64_t state_;
};

}  // namespace simt
