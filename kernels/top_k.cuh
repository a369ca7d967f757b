#pragma once
#include "vectors.cuh"

namespace kvmend::gpu {

/// A float's order as an unsigned number's; zeros of both signs are equal.
__device__ inline unsigned sortable(float value) {
  const unsigned bits = __float_as_uint(value + 0.0F);  // −0 + 0 is +0
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

/// The sum of `count` over the threads before this one, and over all of them.
template <int threads>
struct Offset {
  int before, total;
};
template <int threads>
__device__ inline Offset<threads> block_offset(bool counts) {
  KVMEND_SHARED(int, of_warp, [threads / 32]);
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const unsigned votes = __ballot_sync(kAllLanes, counts);
  __syncthreads();  // the last call's counts have been read
  if (lane == 0) of_warp[warp] = __popc(votes);
  __syncthreads();
  Offset<threads> sum{__popc(votes & ((1U << lane) - 1U)), 0};
  for (unsigned i = 0; i < threads / 32; ++i) {
    if (i < warp) sum.before += of_warp[i];
    sum.total += of_warp[i];
  }
  return sum;
}

/// The indices of a row's k largest elements in ascending order; of equal ones the lower indices. A block a row: four
/// radix passes of 8 bits find the k-th largest, a fifth writes. k ≤ n.
/// No strategy asks for it: selection ends on the host, for a budget knows pinned tokens, exact rows and tiers, scores are
/// stored and shown, and 131072 of them take 20 µs to download. It is for a selection that stays on the card.
/// Bytes: 5 · 4 · n a row, from L2 after the first.
/// Model, not measured: 1 row of 131072; 2.6 MB; floor 1 µs; expected latency, 60 µs.
template <int threads>
__global__ void __launch_bounds__(threads) top_k(std::int32_t* out, const float* x, std::int64_t stride, int n, int k) {
  KVMEND_SHARED(int, histogram, [256]);
  KVMEND_SHARED(unsigned, found, [2]);  // the digit, and how many elements are still wanted among those with it
  const float* row = x + blockIdx.x * stride;
  std::int32_t* indices = out + static_cast<std::int64_t>(blockIdx.x) * k;
  const int first = static_cast<int>(threadIdx.x);
  unsigned prefix = 0, mask = 0, wanted = static_cast<unsigned>(k);
  for (int shift = 24; shift >= 0; shift -= 8) {
    for (int i = first; i < 256; i += threads) histogram[i] = 0;
    __syncthreads();
    for (int i = first; i < n; i += threads) {
      const unsigned key = sortable(row[i]);
      if ((key & mask) == prefix) atomicAdd(&histogram[key >> shift & 255U], 1);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      unsigned above = 0;
      int digit = 255;
      while (digit > 0 && above + static_cast<unsigned>(histogram[digit]) < wanted)
        above += static_cast<unsigned>(histogram[digit--]);
      found[0] = static_cast<unsigned>(digit);
      found[1] = wanted - above;
    }
    __syncthreads();
    prefix |= found[0] << shift;
    mask |= 255U << shift;
    wanted = found[1];
    __syncthreads();
  }
  int written = 0, ties = 0;
  for (int begin = 0; begin < n; begin += threads) {
    const int i = begin + first;
    const unsigned key = i < n ? sortable(row[i]) : 0;
    const Offset<threads> tie = block_offset<threads>(i < n && key == prefix);
    const bool takes = i < n && (key > prefix || (key == prefix && ties + tie.before < static_cast<int>(wanted)));
    const Offset<threads> place = block_offset<threads>(takes);
    if (takes) indices[written + place.before] = i;
    written += place.total;
    ties += tie.total;
  }
}

}  // namespace kvmend::gpu
