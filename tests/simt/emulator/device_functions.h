#pragma once
// CUDA's built-in variables and functions as far as our kernels use them, for a host compiler. Each barrier and
// collective passes its place in the source on, which the emulator compares.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "thread.h"

#define threadIdx (::simt::current->index)
#define blockIdx (::simt::current->block->index)
#define blockDim (::simt::current->block->size)
#define gridDim (::simt::current->block->grid)

// ---- barriers ------------------------------------------------------------------------------------------------

inline void __syncthreads(SIMT_HERE) { simt::block_barrier(simt::Barrier::plain, 0, SIMT_SITE); }
inline int __syncthreads_and(int predicate, SIMT_HERE) {
  simt::block_barrier(simt::Barrier::all, predicate, SIMT_SITE);
  return simt::current->block->barrier_result;
}
inline int __syncthreads_or(int predicate, SIMT_HERE) {
  simt::block_barrier(simt::Barrier::any, predicate, SIMT_SITE);
  return simt::current->block->barrier_result;
}
inline int __syncthreads_count(int predicate, SIMT_HERE) {
  simt::block_barrier(simt::Barrier::count, predicate, SIMT_SITE);
  return simt::current->block->barrier_result;
}
inline void __syncwarp(unsigned mask = 0xffffffffU, SIMT_HERE) {
  const char nothing = 0;
  simt::leave(simt::meet(mask, simt::Collective::syncwarp, 0, &nothing, 1, SIMT_SITE));
}

// ---- collectives of a warp ------------------------------------------------------------------------------------

namespace simt {

/// The value that the lane `source(lane, first lane of my group)` brought; my own where that is outside of the group.
template <class T, class Source>
T shuffle(unsigned mask, T value, Collective kind, int width, Source source, Site site) {
  static_assert(sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8, "CUDA shuffles types of 2, 4 or 8 bytes");
  if (width <= 0 || width > 32 || (width & (width - 1)) != 0) trap("a shuffle of width " + std::to_string(width));
  Rendezvous& meeting = meet(mask, kind, width, &value, sizeof value, site);
  const int lane = static_cast<int>(current->lane), first = lane & ~(width - 1), from = source(lane, first);
  T result = value;
  if (from >= first && from < first + width) {
    if ((mask >> from & 1U) == 0)
      trap("a lane shuffles from lane " + std::to_string(from) + ", which is not in the mask");
    const Unwatched unwatched;
    std::memcpy(&result, meeting.value[from], sizeof result);
  }
  leave(meeting);
  return result;
}

inline unsigned ballot(unsigned mask, bool predicate, Site site) {
  Rendezvous& meeting = meet(mask, Collective::vote, 0, &predicate, sizeof predicate, site);
  unsigned votes = 0;
  {
    const Unwatched unwatched;
    for (unsigned lane = 0; lane < 32; ++lane)
      if ((mask >> lane & 1U) != 0 && meeting.value[lane][0] != 0) votes |= 1U << lane;
  }
  leave(meeting);
  return votes;
}

}  // namespace simt

template <class T>
T __shfl_sync(unsigned mask, T value, int from, int width = 32, SIMT_HERE) {
  return simt::shuffle(
      mask, value, simt::Collective::shuffle, width, [=](int, int first) { return first + (from & (width - 1)); },
      SIMT_SITE);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int flip, int width = 32, SIMT_HERE) {
  return simt::shuffle(
      mask, value, simt::Collective::shuffle_xor, width, [=](int lane, int) { return lane ^ flip; }, SIMT_SITE);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, SIMT_HERE) {
  return simt::shuffle(
      mask, value, simt::Collective::shuffle_down, width, [=](int lane, int) { return lane + static_cast<int>(by); },
      SIMT_SITE);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, SIMT_HERE) {
  return simt::shuffle(
      mask, value, simt::Collective::shuffle_up, width, [=](int lane, int) { return lane - static_cast<int>(by); },
      SIMT_SITE);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, SIMT_HERE) {
  return simt::ballot(mask, predicate != 0, SIMT_SITE);
}
inline int __any_sync(unsigned mask, int predicate, SIMT_HERE) {
  return simt::ballot(mask, predicate != 0, SIMT_SITE) != 0;
}
inline int __all_sync(unsigned mask, int predicate, SIMT_HERE) {
  return simt::ballot(mask, predicate != 0, SIMT_SITE) == mask;
}

// ---- atomics --------------------------------------------------------------------------------------------------

template <class T>
T atomicAdd(T* address, T value) {
  simt::maybe_yield();
  if constexpr (std::is_integral_v<T>) {
    return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
  } else {
    T before, after;
    __atomic_load(address, &before, __ATOMIC_RELAXED);
    do {
      after = before + value;
    } while (!__atomic_compare_exchange(address, &before, &after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return before;
  }
}
template <class T>
T atomicMax(T* address, T value) {
  simt::maybe_yield();
  T before = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (value > before &&
         !__atomic_compare_exchange_n(address, &before, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return before;
}

// ---- arithmetic -----------------------------------------------------------------------------------------------

template <class T>
T __ldg(const T* address) {
  return *address;
}
inline float rsqrtf(float x) { return 1.0F / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
template <class T>
constexpr T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
constexpr T max(T a, T b) {
  return a < b ? b : a;
}
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
