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

/// Two bytes that need no alignment.
__device__ inline unsigned halfword(const Byte* p) { return p[0] | static_cast<unsigned>(p[1]) << 8U; }
__device__ inline float half_at(const Byte* p) {
  __half_raw bits;
  bits.x = static_cast<unsigned short>(halfword(p));
  return __half2float(__half(bits));
}
__device__ inline float product(float a, int b) { return __fmul_rn(a, static_cast<float>(b)); }

struct ScaleAndMinimum {
  float scale, minimum;
};
/// Of Q4_K and Q5_K: six-bit scale and minimum of sub-block `sub` out of 12 bytes.
__device__ inline ScaleAndMinimum sub_block(const Byte* block, int sub) {
  const Byte* packed = block + 4;
  int scale = 0, minimum = 0;
  if (sub < 4) {
    scale = packed[sub] & 63;
    minimum = packed[4 + sub] & 63;
  } else {
    scale = (packed[4 + sub] & 15) | packed[sub - 4] >> 6 << 4;
    minimum = (packed[4 + sub] >> 4) | packed[sub] >> 6 << 4;
  }
  return {product(half_at(block), scale), product(half_at(block + 2), minimum)};
}

/// Element i of a block.
template <BlockFormat format>
__device__ inline float element(const Byte* b, int i) {
  const int low16 = i % 16, nibble = i / 16 * 4;  // of the formats of 32: low nibbles first
  if constexpr (format == BlockFormat::plain_f32) {
    float value;
    memcpy(&value, b, sizeof value);
    return value;
  } else if constexpr (format == BlockFormat::plain_f16) {
    return half_at(b);
  } else if constexpr (format == BlockFormat::plain_bf16) {
    return __uint_as_float(halfword(b) << 16U);
  } else if constexpr (format == BlockFormat::q8_0) {
    return product(half_at(b), static_cast<std::int8_t>(b[2 + i]));
  } else if constexpr (format == BlockFormat::q4_0) {
    return product(half_at(b), (b[2 + low16] >> nibble & 15) - 8);
  } else if constexpr (format == BlockFormat::q4_1) {
    return __fadd_rn(product(half_at(b), b[4 + low16] >> nibble & 15), half_at(b + 2));
  } else if constexpr (format == BlockFormat::q5_0) {
    const int fifth = b[2 + i / 8] >> i % 8 & 1;
    return product(half_at(b), ((b[6 + low16] >> nibble & 15) | fifth << 4) - 16);
  } else if constexpr (format == BlockFormat::q5_1) {
    const int fifth = b[4 + i / 8] >> i % 8 & 1;
    return __fadd_rn(product(half_at(b), (b[8 + low16] >> nibble & 15) | fifth << 4), half_at(b + 2));
  } else if constexpr (format == BlockFormat::q2_k) {
    const int sub = i / 16, value = b[16 + sub / 8 * 32 + sub % 2 * 16 + low16] >> sub % 8 / 2 * 2 & 3;
    const float scale = product(half_at(b + 80), b[sub] & 15), minimum = product(half_at(b + 82), b[sub] >> 4);
    return __fadd_rn(product(scale, value), -minimum);
  } else if constexpr (format == BlockFormat::q3_k) {
    const int sub = i / 16, at = sub % 2 * 16 + low16;
    const int low4 = sub < 8 ? b[96 + sub] & 15 : b[96 + sub - 8] >> 4;
    const int high2 = b[96 + 8 + sub % 4] >> sub / 4 * 2 & 3;
    const int value = b[32 + sub / 8 * 32 + at] >> sub % 8 / 2 * 2 & 3, third = b[at] >> sub / 2 & 1;
    return product(product(half_at(b + 108), (low4 | high2 << 4) - 32), value - (third != 0 ? 0 : 4));
  } else if constexpr (format == BlockFormat::q4_k) {
    const int sub = i / 32;
    const ScaleAndMinimum s = sub_block(b, sub);
    return __fadd_rn(product(s.scale, b[16 + sub / 2 * 32 + i % 32] >> sub % 2 * 4 & 15), -s.minimum);
  } else if constexpr (format == BlockFormat::q5_k) {
    const int sub = i / 32, fifth = b[16 + i % 32] >> sub & 1;
    const ScaleAndMinimum s = sub_block(b, sub);
    return __fadd_rn(product(s.scale, (b[48 + sub / 2 * 32 + i % 32] >> sub % 2 * 4 & 15) | fifth << 4), -s.minimum);
  } else {
    const int sub = i / 16, half = sub / 8, quarter = sub % 8 / 2, at = sub % 2 * 16 + low16;
    const int low = b[half * 64 + quarter % 2 * 32 + at] >> quarter / 2 * 4 & 15;
    const int top = b[128 + half * 32 + at] >> quarter * 2 & 3;
    const float scale = product(half_at(b + 208), static_cast<std::int8_t>(b[192 + sub]));
    return product(scale, (low | top << 4) - 32);
  }
}

/// out[i] = element i of back-to-back blocks, converted to T; a thread an element, blocks are read through L1.
/// Bytes: count · (sizeof T + block bytes / block elements); about 30 instructions an element.
/// Model, not measured: 14336 × 4096 from Q4_K to bf16; 150 MB; floor 45 µs; expected 60 % of bandwidth.
template <BlockFormat format, class T>
__global__ void __launch_bounds__(256) dequantise(T* out, const Byte* blocks, std::int64_t count) {
  constexpr BlockShape shape = block_shape(format);
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * 256 + threadIdx.x;
  if (i >= count) return;
  const Byte* block = blocks + i / shape.elements * shape.bytes;
  out[i] = from_float<T>(element<format>(block, static_cast<int>(i % shape.elements)));
}

}  // namespace kvmend::gpu
