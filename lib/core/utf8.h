#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace kvmend {

/// Bytes of the character that `rest` begins with, 0 if its first bytes are not valid UTF-8 (or there are none).
std::size_t utf8_length(std::string_view rest);
/// Offset of the first byte that is no valid UTF-8 (RFC 3629: no surrogates, no overlong forms), or npos.
std::size_t first_invalid_utf8(std::string_view text);
/// Throws Error(data) "NAME:line:column: not UTF-8 …".
void check_utf8(std::string_view text, const std::string& name);
/// True if `offset` is not inside a character.
bool is_char_boundary(std::string_view text, std::size_t offset);
/// 1-based line and column (in characters) of a byte offset.
struct TextPlace {
  int line = 1, column = 1;
};
TextPlace place_of(std::string_view text, std::size_t offset);

}  // namespace kvmend
