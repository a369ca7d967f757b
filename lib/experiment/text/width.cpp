#include "experiment/text/width.h"

#include "core/utf8.h"

namespace kvmend {

std::size_t display_width(std::string_view text) { return utf8::count(text); }

std::size_t byte_of(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!utf8::continues(text[at]) && count-- == 0) break;
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
