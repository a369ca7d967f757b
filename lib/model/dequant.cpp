#include "model/dequant.h"

#include <bit>
#include <cstring>

#include "core/error.h"

// Block formats: ggml's block_q* structures (little-endian). Each function below reads one block. Products and sums
// are written one operation a statement's term, in the order of the format's definition; this file is compiled with
// -ffp-contract=off because a fused multiply-add would round once where the definition rounds twice.

namespace kvmend {

namespace {

/// Without a branch, so that a row of halves is converted by vector instructions.
inline float widened(std::uint16_t half) {
  constexpr std::uint32_t one = 1U << 23U;      // of a float's exponent
  constexpr std::uint32_t rebias = 112U * one;  // 127 − 15
  const std::uint32_t sign = (half & 0x8000U) << 16U;
  const std::uint32_t magnitude = (half & 0x7fffU) << 13U;  // exponent and mantissa at their new places
  // A denormal is read as if its exponent were 1, less the implicit bit that it does not have; infinity and NaN get
  // an exponent of 255. Only integers are selected: a select of floats would keep the loop scalar.
  const std::uint32_t raise = magnitude < one ? one : 0U;
  const std::uint32_t excess = magnitude < one ? rebias + one : 0U;
  const std::uint32_t top = magnitude >= 31U * one ? rebias : 0U;
  const float value = std::bit_cast<float>(magnitude + rebias + raise + top) - std::bit_cast<float>(excess);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
}

}  // namespace

float half_to_float(std::uint16_t half) { return widened(half); }

namespace {

using Byte = std::uint8_t;

float half_at(const Byte* p) {
  std::uint16_t half;
  std::memcpy(&half, p, sizeof half);
  return widened(half);
}

void f32(const Byte* in, std::int64_t count, float* out) { std::memcpy(out, in, static_cast<std::size_t>(count) * 4); }

void f16(const Byte* in, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = half_at(in + 2 * i);
}

void bf16(const Byte* in, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint16_t high;
    std::memcpy(&high, in + 2 * i, sizeof high);
    out[i] = std::bit_cast<float>(static_cast<std::uint32_t>(high) << 16U);
  }
}

// ---- blocks of 32: one scale, perhaps a minimum ---------------------------------------------------------------

// d (half), 32 × int8
void q8_0(const Byte* in, float* out) {
  const float d = half_at(in);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(static_cast<std::int8_t>(in[2 + i])) * d;
}

// d (half), 16 bytes: element i in the low nibble of byte i, element 16 + i in the high one
void q4_0(const Byte* in, float* out) {
  const float d = half_at(in);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((in[2 + i] & 15) - 8);
    out[16 + i] = d * static_cast<float>((in[2 + i] >> 4) - 8);
  }
}

// d, m (halves), nibbles as above
void q4_1(const Byte* in, float* out) {
  const float d = half_at(in), m = half_at(in + 2);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(in[4 + i] & 15) + m;
    out[16 + i] = d * static_cast<float>(in[4 + i] >> 4) + m;
  }
}

// The five-bit integers of a block: nibbles, and the fifth bits of all 32 in one word.
void five_bits(const Byte* high, const Byte* nibbles, std::int32_t* out) {
  std::uint32_t fifth;
  std::memcpy(&fifth, high, sizeof fifth);
  for (int i = 0; i < 16; ++i) {
    out[i] = (nibbles[i] & 15) | static_cast<std::int32_t>(((fifth >> i) & 1U) << 4U);
    out[16 + i] = (nibbles[i] >> 4) | static_cast<std::int32_t>(((fifth >> (16 + i)) & 1U) << 4U);
  }
}

// d (half), fifth bits (u32), nibbles
void q5_0(const Byte* in, float* out) {
  const float d = half_at(in);
  std::int32_t q[32];
  five_bits(in + 2, in + 6, q);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(q[i] - 16);
}

// d, m (halves), fifth bits (u32), nibbles
void q5_1(const Byte* in, float* out) {
  const float d = half_at(in), m = half_at(in + 2);
  std::int32_t q[32];
  five_bits(in + 4, in + 8, q);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(q[i]) + m;
}

// ---- super-blocks of 256: scales of sub-blocks are quantised themselves ----------------------------------------

// 16 × (4-bit scale, 4-bit minimum), 64 bytes of 2-bit integers, d, dmin (halves); sub-blocks of 16.
// Each 32 bytes hold 128 elements: bits 0–1 of all bytes first, then bits 2–3 …
void q2_k(const Byte* in, float* out) {
  const float d = half_at(in + 80), dmin = half_at(in + 82);
  for (int sub = 0; sub < 16; ++sub) {
    const float scale = d * static_cast<float>(in[sub] & 15);
    const float minimum = dmin * static_cast<float>(in[sub] >> 4);
    const Byte* q = in + 16 + (sub / 8) * 32 + (sub % 2) * 16;
    const int shift = (sub % 8) / 2 * 2;
    for (int i = 0; i < 16; ++i) out[sub * 16 + i] = scale * static_cast<float>((q[i] >> shift) & 3) - minimum;
  }
}

// 32 bytes of third bits, 64 bytes of 2-bit integers as in Q2_K, 16 six-bit scales in 12 bytes, d (half).
// The third bit is stored inverted: where it is 0, four is subtracted.
void q3_k(const Byte* in, float* out) {
  const Byte* third = in;
  const Byte* low = in + 32;
  const Byte* packed = in + 96;
  const float d = half_at(in + 108);
  for (int sub = 0; sub < 16; ++sub) {
    const int low4 = sub < 8 ? packed[sub] & 15 : packed[sub - 8] >> 4;
    const int high2 = (packed[8 + sub % 4] >> (sub / 4 * 2)) & 3;
    const float scale = d * static_cast<float>((low4 | high2 << 4) - 32);
    const int half = (sub % 2) * 16, shift = (sub % 8) / 2 * 2;
    const Byte* q = low + (sub / 8) * 32 + half;
    for (int i = 0; i < 16; ++i) {
      const int bit = (third[half + i] >> (sub / 2)) & 1;
      out[sub * 16 + i] = scale * static_cast<float>(((q[i] >> shift) & 3) - (bit ? 0 : 4));
    }
  }
}

struct ScaleAndMinimum {
  float scale, minimum;
};
// Sub-block `sub` of 8: six-bit scale and minimum out of 12 bytes. The first four keep theirs whole in bytes 0–3 and
// 4–7; the last four have their low nibbles in bytes 8–11 and their top two bits above those of the first four.
ScaleAndMinimum q4_scales(const Byte* packed, int sub, float d, float dmin) {
  int scale, minimum;
  if (sub < 4) {
    scale = packed[sub] & 63;
    minimum = packed[4 + sub] & 63;
  } else {
    scale = (packed[4 + sub] & 15) | (packed[sub - 4] >> 6 << 4);
    minimum = (packed[4 + sub] >> 4) | (packed[sub] >> 6 << 4);
  }
  return {d * static_cast<float>(scale), dmin * static_cast<float>(minimum)};
}

// d, dmin (halves), 12 bytes of scales, 128 bytes of nibbles; sub-blocks of 32, pairs share 32 bytes.
void q4_k(const Byte* in, float* out) {
  const float d = half_at(in), dmin = half_at(in + 2);
  for (int sub = 0; sub < 8; ++sub) {
    const auto [scale, minimum] = q4_scales(in + 4, sub, d, dmin);
    const Byte* q = in + 16 + sub / 2 * 32;
    const int shift = sub % 2 * 4;
    for (int i = 0; i < 32; ++i) out[sub * 32 + i] = scale * static_cast<float>((q[i] >> shift) & 15) - minimum;
  }
}

// d, dmin (halves), 12 bytes of scales, 32 bytes of fifth bits (bit `sub` of byte i), 128 bytes of nibbles.
void q5_k(const Byte* in, float* out) {
  const float d = half_at(in), dmin = half_at(in + 2);
  const Byte* fifth = in + 16;
  for (int sub = 0; sub < 8; ++sub) {
    const auto [scale, minimum] = q4_scales(in + 4, sub, d, dmin);
    const Byte* q = in + 48 + sub / 2 * 32;
    const int shift = sub % 2 * 4;
    for (int i = 0; i < 32; ++i) {
      const int value = ((q[i] >> shift) & 15) | ((fifth[i] >> sub) & 1) << 4;
      out[sub * 32 + i] = scale * static_cast<float>(value) - minimum;
    }
  }
}

// 128 bytes of low nibbles, 64 bytes of top two bits, 16 int8 scales, d (half). Elements come in two halves of 128:
// of each, 64 bytes of nibbles (low ones first) and 32 bytes of top bits (bits 0–1 for the first 32 elements …).
void q6_k(const Byte* in, float* out) {
  const float d = half_at(in + 208);
  for (int sub = 0; sub < 16; ++sub) {
    const float scale = d * static_cast<float>(static_cast<std::int8_t>(in[192 + sub]));
    const int half = sub / 8, quarter = sub % 8 / 2, first = sub % 2 * 16;
    const Byte* low = in + half * 64 + quarter % 2 * 32 + first;
    const Byte* top = in + 128 + half * 32 + first;
    const int low_shift = quarter / 2 * 4, top_shift = quarter * 2;
    for (int i = 0; i < 16; ++i) {
      const int value = ((low[i] >> low_shift) & 15) | ((top[i] >> top_shift) & 3) << 4;
      out[sub * 16 + i] = scale * static_cast<float>(value - 32);
    }
  }
}

template <void (*block)(const Byte*, float*)>
void each_block(StoredType type, const Byte* in, std::int64_t count, float* out) {
  const BlockLayout layout = block_layout(type);
  require(count % layout.elements == 0, "{} elements are no whole number of {} blocks", count, stored_type_name(type));
  for (std::int64_t i = 0; i < count; i += layout.elements, in += layout.bytes) block(in, out + i);
}

}  // namespace

BlockLayout block_layout(StoredType type) {
  switch (type) {
    case StoredType::f32: return {1, 4};
    case StoredType::f16: return {1, 2};
    case StoredType::bf16: return {1, 2};
    case StoredType::q8_0: return {32, 34};
    case StoredType::q4_0: return {32, 18};
    case StoredType::q4_1: return {32, 20};
    case StoredType::q5_0: return {32, 22};
    case StoredType::q5_1: return {32, 24};
    case StoredType::q2_k: return {256, 84};
    case StoredType::q3_k: return {256, 110};
    case StoredType::q4_k: return {256, 144};
    case StoredType::q5_k: return {256, 176};
    case StoredType::q6_k: return {256, 210};
  }
  fail(ErrorKind::internal, "no layout for stored type {}", static_cast<int>(type));
}

void dequantise(StoredType type, const std::byte* blocks, std::int64_t count, float* out) {
  const auto* in = reinterpret_cast<const Byte*>(blocks);
  switch (type) {
    case StoredType::f32: return f32(in, count, out);
    case StoredType::f16: return f16(in, count, out);
    case StoredType::bf16: return bf16(in, count, out);
    case StoredType::q8_0: return each_block<q8_0>(type, in, count, out);
    case StoredType::q4_0: return each_block<q4_0>(type, in, count, out);
    case StoredType::q4_1: return each_block<q4_1>(type, in, count, out);
    case StoredType::q5_0: return each_block<q5_0>(type, in, count, out);
    case StoredType::q5_1: return each_block<q5_1>(type, in, count, out);
    case StoredType::q2_k: return each_block<q2_k>(type, in, count, out);
    case StoredType::q3_k: return each_block<q3_k>(type, in, count, out);
    case StoredType::q4_k: return each_block<q4_k>(type, in, count, out);
    case StoredType::q5_k: return each_block<q5_k>(type, in, count, out);
    case StoredType::q6_k: return each_block<q6_k>(type, in, count, out);
  }
}

}  // namespace kvmend
