#pragma once
#include <bit>
#include <cstdint>

namespace kvmend {

/// The upper half of a float32.
struct Bf16 {
  std::uint16_t bits = 0;
};

/// Nearest, ties to even; a NaN stays a NaN.
inline Bf16 to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return {static_cast<std::uint16_t>((bits >> 16U) | 0x40U)};
  return {static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U)};
}

inline float to_float(Bf16 value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16U); }
inline float to_float(float value) { return value; }

/// The float32 nearest to `value` that bf16 can hold.
inline float round_bf16(float value) { return to_float(to_bf16(value)); }

}  // namespace kvmend
