#pragma once
// GGUF's block formats on the device. The arithmetic is lib/model/dequant.cpp's, operation for operation (no fused
// multiply-add), so that the bits are the same.
#include "vectors.cuh"

namespace kvmend::gpu {

/// In the order of kvmend::StoredType.
enum class BlockFormat : std::uint8_t {
  plain_f32,
  plain_f16,
  plain_bf16,
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k
};

/// Elements and bytes of a block.
struct BlockShape {
  int elements, bytes;
};
__host__ __device__ constexpr BlockShape block_shape(BlockFormat format) {
  switch (format) {
    case BlockFormat::plain_f32: return {1, 4};
    case BlockFormat::plain_f16:
    case BlockFormat::plain_bf16: return {1, 2};
    case BlockFormat::q8_0: return {32, 34};
    case BlockFormat::q4_0: return {32, 18};
    case BlockFormat::q4_1: return {32, 20};
    case BlockFormat::q5_0: return {32, 22};
    case BlockFormat::q5_1: return {32, 24};
    case BlockFormat::q2_k: return {256, 84};
    case BlockFormat::q3_k: return {256, 110};
    case BlockFormat::q4_k: return {256, 144};
    case BlockFormat::q5_k: return {256, 176};
    case BlockFormat::q6_k: return {256, 210};
  }
  return {1, 1};
}

using Byte = std::uint8_t;

/// Blocks lie at even addresses: so do all numbers of two bytes in them.
__device__ inline unsigned halfword(const Byte* p) { return *reinterpret_cast<const std::uint16_t*>(p); }
__device__ inline float half_at(const Byte* p) {
  __half_raw bits;
  bits.x = static_cast<unsigned short>(halfword(p));
  return __half2float(__half(bits));
}
__device__ inline float product(float a, int b) { return __fmul_rn(a, static_cast<float>(b)); }

/// What neighbours share: an element is scale · quant, of some formats + offset.
struct Line {
  float scale, offset;
};
template <BlockFormat format>
inline constexpr bool has_offset =
    format == BlockFormat::q4_1 || format == BlockFormat::q5_1 || format == BlockFormat::q2_k ||
    format == BlockFormat::q4_k || format == BlockFormat::q5_k;

/// Of Q4_K and Q5_K: six-bit scale and minimum of sub-block `sub` out of 12 bytes.
__device__ inline Line sub_block(const Byte* block, unsigned sub) {
  const Byte* packed = block + 4;
  int scale = 0, minimum = 0;
  if (sub < 4) {
    scale = packed[sub] & 63;
    minimum = packed[4 + sub] & 63;
  } else {
    scale = (packed[4 + sub] & 15) | packed[sub - 4] >> 6 << 4;
    minimum = (packed[4 + sub] >> 4) | packed[sub] >> 6 << 4;
  }
  return {product(half_at(block), scale), -product(half_at(block + 2), minimum)};
}

/// Of element i of a quantised block.
template <BlockFormat format>
__device__ inline Line line_of(const Byte* b, unsigned i) {
  const unsigned sub = i / 16;
  if constexpr (format == BlockFormat::q4_1 || format == BlockFormat::q5_1) {
    return {half_at(b), half_at(b + 2)};
  } else if constexpr (format == BlockFormat::q2_k) {
    return {product(half_at(b + 80), b[sub] & 15), -product(half_at(b + 82), b[sub] >> 4)};
  } else if constexpr (format == BlockFormat::q3_k) {
    const int low4 = sub < 8 ? b[96 + sub] & 15 : b[96 + sub - 8] >> 4;
    const int high2 = b[96 + 8 + sub % 4] >> sub / 4 * 2 & 3;
    return {product(half_at(b + 108), (low4 | high2 << 4) - 32), 0};
  } else if constexpr (format == BlockFormat::q4_k || format == BlockFormat::q5_k) {
    return sub_block(b, i / 32);
  } else if constexpr (format == BlockFormat::q6_k) {
    return {product(half_at(b + 208), static_cast<std::int8_t>(b[192 + sub])), 0};
  } else {
    return {half_at(b), 0};
  }
}

/// The integer of element i + j of a quantised block, both in one group of 16: what j does not enter is worked out once.
template <BlockFormat format>
__device__ inline int quant(const Byte* b, unsigned i, unsigned j) {
  const unsigned low16 = i % 16, nibble = i / 16 * 4;  // of the formats of 32: low nibbles first
  const unsigned sub = i / 16, at = sub % 2 * 16 + low16;
  if constexpr (format == BlockFormat::q8_0) {
    return static_cast<std::int8_t>((b + 2 + i)[j]);
  } else if constexpr (format == BlockFormat::q4_0) {
    return ((b + 2 + low16)[j] >> nibble & 15) - 8;
  } else if constexpr (format == BlockFormat::q4_1) {
    return (b + 4 + low16)[j] >> nibble & 15;
  } else if constexpr (format == BlockFormat::q5_0) {
    const int fifth = b[2 + i / 8] >> (i % 8 + j) & 1;  // j does not leave a byte either: groups are of 4 or 8
    return (((b + 6 + low16)[j] >> nibble & 15) | fifth << 4) - 16;
  } else if constexpr (format == BlockFormat::q5_1) {
    const int fifth = b[4 + i / 8] >> (i % 8 + j) & 1;
    return ((b + 8 + low16)[j] >> nibble & 15) | fifth << 4;
  } else if constexpr (format == BlockFormat::q2_k) {
    return (b + 16 + sub / 8 * 32 + at)[j] >> sub % 8 / 2 * 2 & 3;
  } else if constexpr (format == BlockFormat::q3_k) {
    const int low = (b + 32 + sub / 8 * 32 + at)[j] >> sub % 8 / 2 * 2 & 3, third = (b + at)[j] >> sub / 2 & 1;
    return low - (third != 0 ? 0 : 4);
  } else if constexpr (format == BlockFormat::q4_k) {
    return (b + 16 + i / 64 * 32 + i % 32)[j] >> i / 32 % 2 * 4 & 15;
  } else if constexpr (format == BlockFormat::q5_k) {
    const int fifth = (b + 16 + i % 32)[j] >> i / 32 & 1;
    return ((b + 48 + i / 64 * 32 + i % 32)[j] >> i / 32 % 2 * 4 & 15) | fifth << 4;
  } else {
    const unsigned half = sub / 8, quarter = sub % 8 / 2;
    const int low = (b + half * 64 + quarter % 2 * 32 + at)[j] >> quarter / 2 * 4 & 15;
    const int top = (b + 128 + half * 32 + at)[j] >> quarter * 2 & 3;
    return (low | top << 4) - 32;
  }
}

/// `n` elements from element i of a block on, a multiple of n; of the plain types, of the array b.
template <BlockFormat format, int n>
__device__ inline void elements(float (&values)[n], const Byte* b, unsigned i) {
  if constexpr (format == BlockFormat::plain_f32) {
#pragma unroll
    for (unsigned j = 0; j < n; ++j) values[j] = reinterpret_cast<const float*>(b)[i + j];
  } else if constexpr (format == BlockFormat::plain_f16) {
#pragma unroll
    for (unsigned j = 0; j < n; ++j) values[j] = half_at(b + 2 * (i + j));
  } else if constexpr (format == BlockFormat::plain_bf16) {
#pragma unroll
    for (unsigned j = 0; j < n; ++j) values[j] = __uint_as_float(halfword(b + 2 * (i + j)) << 16U);
  } else {
    const Line line = line_of<format>(b, i);
#pragma unroll
    for (unsigned j = 0; j < n; ++j) {
      values[j] = product(line.scale, quant<format>(b, i, j));
      if constexpr (has_offset<format>) values[j] = __fadd_rn(values[j], line.offset);
    }
  }
}

/// A block of threads takes so many elements: of every format whole blocks, and bytes that keep 16-byte copies aligned.
inline constexpr int kDequantised = 4096;

/// out[i] = element i of back-to-back blocks, which lie at a multiple of 16 bytes, converted to T. Bytes come through shared
/// memory in 16-byte pieces, whatever a format's blocks are aligned to; a thread reads what neighbours share once for the four
/// or eight elements that fill 16 bytes of `out` (`aligned`: to them).
/// Bytes: count · (sizeof T + block bytes / block elements). 7 to 12 instructions an element and 4 for what it shares; an H100
/// has 22 issue slots in the time that its memory takes for one of Q4_K to bf16. Six blocks of a multiprocessor have 14 KB of
/// blocks under way, where the share of the memory's speed that is theirs times a microsecond is 6.
/// Model, not measured: 14336 × 4096 from Q4_K to bf16; 150 MB; floor 45 µs; expected 75 % of bandwidth.
template <BlockFormat format, class T>
__global__ void __launch_bounds__(256) dequantise(T* out, const Byte* blocks, std::int64_t count, bool aligned) {
  constexpr BlockShape shape = block_shape(format);
  constexpr int kBytes = kDequantised / shape.elements * shape.bytes, kOfStore = 16 / sizeof(T);
  static_assert(kDequantised % shape.elements == 0 && kBytes % 16 == 0);
  KVMEND_SHARED(Byte, staged, [kBytes]);
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * kDequantised;
  const int n = static_cast<int>(count - begin < kDequantised ? count - begin : kDequantised);
  const int bytes = n / shape.elements * shape.bytes, t = static_cast<int>(threadIdx.x);
  const Byte* from = blocks + begin / shape.elements * shape.bytes;
  for (int i = 16 * t; i + 16 <= bytes; i += 16 * 256) prim::copy_async_16(&staged[i], from + i);
  for (int i = bytes / 16 * 16 + t; i < bytes; i += 256) staged[i] = from[i];
  prim::copy_async_commit();
  prim::copy_async_wait<0>();
  __syncthreads();
#pragma unroll
  for (int pass = 0; pass < kDequantised / 256 / kOfStore; ++pass) {
    const unsigned first = (pass * 256 + threadIdx.x) * kOfStore;
    if (static_cast<int>(first) >= n) break;
    float values[kOfStore];
    if constexpr (shape.elements == 1)
      elements<format>(values, staged, first);
    else
      elements<format>(values, staged + first / shape.elements * shape.bytes, first % shape.elements);
    T* to = out + begin + first;
    if (aligned && static_cast<int>(first) + kOfStore <= n) {
      store16(to, values);
    } else {
#pragma unroll
      for (int i = 0; i < kOfStore; ++i)
        if (static_cast<int>(first) + i < n) to[i] = from_float<T>(values[i]);
    }
  }
}

}  // namespace kvmend::gpu
