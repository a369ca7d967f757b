#include "experiment/text/width.h"

#include <algorithm>

namespace kvmend {
namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

}  // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::size_t byte_of(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (starts_character(text[at]) && count-- == 0) break;
  }
  return at;
}

std::string pad_right(std::string text, std::size_t width) {
  const std::size_t has = display_width(text);
  if (has < width) text.append(width - has, ' ');
  return text;
}

std::string shorten(const std::string& text, std::size_t most) {
  const std::size_t count = display_width(text);
  if (count <= most || most < 3) return text;
  const std::size_t head = most / 2, tail = most - 1 - head;
  return text.substr(0, byte_of(text, head)) + "…" + text.substr(byte_of(text, count - tail));
}

}  // namespace kvmend
