#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kvmend::utf8 {

/// One code point and how many bytes it takes; length 0: the byte at that place does not begin valid UTF-8.
struct Decoded {
  char32_t code_point = 0;
  std::uint32_t length = 0;
};

/// Strict (Unicode §3.9, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
Decoded decode(std::string_view text, std::size_t at);

/// As decode(), for text already known to be valid.
inline Decoded decode_valid(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {((lead & 0x1FU) << 6) | (byte(1) & 0x3FU), 2};
  if (lead < 0xF0) return {((lead & 0x0FU) << 12) | ((byte(1) & 0x3FU) << 6) | (byte(2) & 0x3FU), 3};
  return {((lead & 0x07U) << 18) | ((byte(1) & 0x3FU) << 12) | ((byte(2) & 0x3FU) << 6) | (byte(3) & 0x3FU), 4};
}

/// The code point that ends just before byte `at` (> 0) of valid text.
char32_t last_before(std::string_view text, std::size_t at);

/// Offset of the first byte that is no part of valid UTF-8, or text.size().
std::size_t find_invalid(std::string_view text);

void append(std::string& out, char32_t code_point);

inline constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
inline constexpr std::string_view word_mark = "\xE2\x96\x81";    // U+2581, SentencePiece's visible space

}  // namespace kvmend::utf8
