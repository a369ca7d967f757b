#pragma once
// Four elements at a time, and sums over a warp or a block.
#include "portable.cuh"

namespace kvmend::gpu {

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(bf16 value) { return __bfloat162float(value); }

template <class T>
__device__ inline T from_float(float value);
template <>
__device__ inline float from_float<float>(float value) {
  return value;
}
template <>
__device__ inline bf16 from_float<bf16>(float value) {
  return __float2bfloat16(value);
}

__device__ inline float round_bf16(float value) { return __bfloat162float(__float2bfloat16(value)); }

/// Two elements as they lie in a register of an mma fragment, the first in the low half.
__device__ inline std::uint32_t pack_bf16(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  std::uint32_t bits;
  memcpy(&bits, &pair, sizeof bits);
  return bits;
}

/// 16 bytes, aligned to them.
__device__ inline float4 load4(const float* from) { return *reinterpret_cast<const float4*>(from); }
/// 8 bytes, aligned to them.
__device__ inline float4 load4(const bf16* from) {
  const uint2 bits = *reinterpret_cast<const uint2*>(from);
  return make_float4(__uint_as_float(bits.x << 16), __uint_as_float(bits.x & 0xffff0000U),
                     __uint_as_float(bits.y << 16), __uint_as_float(bits.y & 0xffff0000U));
}
__device__ inline void store4(float* to, float4 v) { *reinterpret_cast<float4*>(to) = v; }
__device__ inline void store4(bf16* to, float4 v) {
  *reinterpret_cast<uint2*>(to) = make_uint2(pack_bf16(v.x, v.y), pack_bf16(v.z, v.w));
}

/// 16 bytes, aligned to them.
__device__ inline void store16(float* to, const float (&v)[4]) { store4(to, make_float4(v[0], v[1], v[2], v[3])); }
__device__ inline void store16(bf16* to, const float (&v)[8]) {
  *reinterpret_cast<uint4*>(to) =
      make_uint4(pack_bf16(v[0], v[1]), pack_bf16(v[2], v[3]), pack_bf16(v[4], v[5]), pack_bf16(v[6], v[7]));
}

/// Up to four elements from `column` on of a row of `columns`; the others are 0. `quads`: rows are aligned for load4.
template <class T>
__device__ inline float4 load4_within(const T* row, int column, int columns, bool quads) {
  if (quads) return column < columns ? load4(row + column) : make_float4(0, 0, 0, 0);
  float4 v = make_float4(0, 0, 0, 0);
  if (column < columns) v.x = to_float(row[column]);
  if (column + 1 < columns) v.y = to_float(row[column + 1]);
  if (column + 2 < columns) v.z = to_float(row[column + 2]);
  if (column + 3 < columns) v.w = to_float(row[column + 3]);
  return v;
}
template <class T>
__device__ inline void store4_within(T* row, int column, int columns, bool quads, float4 v) {
  if (quads) {
    if (column < columns) store4(row + column, v);
    return;
  }
  if (column < columns) row[column] = from_float<T>(v.x);
  if (column + 1 < columns) row[column + 1] = from_float<T>(v.y);
  if (column + 2 < columns) row[column + 2] = from_float<T>(v.z);
  if (column + 3 < columns) row[column + 3] = from_float<T>(v.w);
}

__device__ inline float warp_sum(float v) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) v += __shfl_xor_sync(kAllLanes, v, offset);
  return v;
}

/// The sum over the block's threads, in every thread. All of them call it.
template <int threads>
__device__ inline float block_sum(float v) {
  if constexpr (threads == 32) {
    return warp_sum(v);
  } else {
    KVMEND_SHARED(float, part, [threads / 32]);
    v = warp_sum(v);
    __syncthreads();  // the last call's sums have been read
    if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
    __syncthreads();
    float sum = 0;
#pragma unroll
    for (int i = 0; i < threads / 32; ++i) sum += part[i];
    return sum;
  }
}

}  // namespace kvmend::gpu
