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

/// Strict (RFC 3629; Unicode §3.9, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF. At or behind the
/// text's end: length 0.
Decoded decode(std::string_view text, std::size_t at);

/// As decode(), for text already known to be valid, `at` a character's first byte.
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

void append(std::string& out, char32_t code_point);

/// True of the bytes of a character behind its first.
constexpr bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80; }
/// Characters of valid text.
std::size_t count(std::string_view text);
/// The last place where a character begins (or the text ends) that is not behind byte `at`.
std::size_t floor_boundary(std::string_view text, std::size_t at);
/// The first that is not before it; `at` itself behind the text's end.
std::size_t ceil_boundary(std::string_view text, std::size_t at);

/// Offset of the first byte that is no part of valid UTF-8, or text.size().
std::size_t find_invalid(std::string_view text);
/// Throws Error(data) "NAME:line:column: not UTF-8 …", lines from 1, columns in characters from 1.
void check(std::string_view text, const std::string& name);

inline constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace kvmend::utf8
