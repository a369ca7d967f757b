#include "core/utf8.h"

#include "core/error.h"

namespace kvmend {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::size_t utf8_length(std::string_view rest) {
  if (rest.empty()) return 0;
  const auto lead = static_cast<unsigned char>(rest[0]);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (rest.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(rest[i])) return 0;
  }
  const auto second = static_cast<unsigned char>(rest[1]);
  if (lead == 0xE0 && second < 0xA0) return 0;  // overlong
  if (lead == 0xED && second > 0x9F) return 0;  // surrogates
  if (lead == 0xF0 && second < 0x90) return 0;  // overlong
  if (lead == 0xF4 && second > 0x8F) return 0;  // above U+10FFFF
  return length;
}

std::size_t first_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

void check_utf8(std::string_view text, const std::string& name) {
  const std::size_t at = first_invalid_utf8(text);
  if (at == std::string_view::npos) return;
  const TextPlace place = place_of(text, at);
  fail(ErrorKind::data, "{}:{}:{}: not UTF-8 (byte 0x{:02X}); convert the file first", name, place.line, place.column,
       static_cast<unsigned>(static_cast<unsigned char>(text[at])));
}

bool is_char_boundary(std::string_view text, std::size_t offset) {
  return offset >= text.size() || !is_continuation(text[offset]);
}

TextPlace place_of(std::string_view text, std::size_t offset) {
  TextPlace place;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else if (!is_continuation(text[i]) || i == 0) {
      ++place.column;
    }
  }
  return place;
}

}  // namespace kvmend
