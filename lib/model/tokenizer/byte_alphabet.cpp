#include "model/tokenizer/byte_alphabet.h"

#include <array>

#include "core/utf8.h"

namespace kvmend {
namespace {

bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<char32_t, 256> character{};
  std::array<int, 0x144> byte{};  // −1: no byte
  Alphabet() {
    byte.fill(-1);
    char32_t next = 0x100;
    for (unsigned b = 0; b < 256; ++b) {
      character[b] = stands_for_itself(b) ? static_cast<char32_t>(b) : next++;
      byte[character[b]] = static_cast<int>(b);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet table;
  return table;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

char32_t byte_character(unsigned char byte) { return alphabet().character[byte]; }

std::optional<std::string> bytes_of_characters(std::string_view token) {
  std::string bytes;
  for (std::size_t at = 0; at < token.size();) {
    const utf8::Decoded c = utf8::decode(token, at);
    if (c.length == 0 || c.code_point >= alphabet().byte.size() || alphabet().byte[c.code_point] < 0) return {};
    bytes.push_back(static_cast<char>(alphabet().byte[c.code_point]));
    at += c.length;
  }
  return bytes;
}

std::optional<unsigned char> fallback_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return {};
  const int high = hex_digit(token[3]);
  const int low = hex_digit(token[4]);
  if (high < 0 || low < 0) return {};
  return static_cast<unsigned char>(high * 16 + low);
}

}  // namespace kvmend
