#include "core/utf8.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace kvmend::utf8 {

Decoded decode(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const std::size_t left = text.size() - at;
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::uint32_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (length == 0 || left < length) return {};
  // The second byte's range rules out overlong forms (E0, F0), surrogates (ED) and what lies past U+10FFFF (F4).
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return {};
  for (std::uint32_t i = 2; i < length; ++i) {
    if (!continues(text[at + i])) return {};
  }
  return decode_valid(text, at);
}

char32_t last_before(std::string_view text, std::size_t at) {
  return decode_valid(text, floor_boundary(text, at - 1)).code_point;
}

void append(std::string& out, char32_t code_point) {
  const auto put = [&](unsigned value) { out.push_back(static_cast<char>(value)); };
  const auto c = static_cast<unsigned>(code_point);
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0U | (c >> 6));
    put(0x80U | (c & 0x3FU));
  } else if (c < 0x10000) {
    put(0xE0U | (c >> 12));
    put(0x80U | ((c >> 6) & 0x3FU));
    put(0x80U | (c & 0x3FU));
  } else {
    put(0xF0U | (c >> 18));
    put(0x80U | ((c >> 12) & 0x3FU));
    put(0x80U | ((c >> 6) & 0x3FU));
    put(0x80U | (c & 0x3FU));
  }
}

std::size_t count(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues));
}

std::size_t floor_boundary(std::string_view text, std::size_t at) {
  at = std::min(at, text.size());
  while (at > 0 && at < text.size() && continues(text[at])) --at;
  return at;
}

std::size_t ceil_boundary(std::string_view text, std::size_t at) {
  while (at < text.size() && continues(text[at])) ++at;
  return at;
}

std::size_t find_invalid(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight = 0;
    if (at + 8 <= text.size()) {
      std::memcpy(&eight, text.data() + at, 8);
      if ((eight & 0x8080808080808080U) == 0) {
        at += 8;
        continue;
      }
    }
    const Decoded d = decode(text, at);
    if (d.length == 0) return at;
    at += d.length;
  }
  return at;
}

void check(std::string_view text, const std::string& name) {
  const std::size_t bad = find_invalid(text);
  if (bad == text.size()) return;
  const std::string_view before = text.substr(0, bad);  // valid, as find_invalid() says
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t column = 1 + count(before.substr(before.rfind('\n') + 1));  // npos + 1 is 0
  fail(ErrorKind::data, "{}:{}:{}: not UTF-8 (byte 0x{:02X}); convert the file first", name, line, column,
       static_cast<unsigned>(static_cast<unsigned char>(text[bad])));
}

}  // namespace kvmend::utf8
