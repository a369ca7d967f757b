#include "eval/text.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "core/utf8.h"

namespace kvmend {
namespace {

/// Python's str.isspace: bidirectional class WS, B or S, or category Zs.
bool is_python_space(char32_t c) {
  if (c < 0x80) return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
  const auto code = static_cast<UChar32>(c);
  const UCharDirection direction = u_charDirection(code);
  return u_charType(code) == U_SPACE_SEPARATOR || direction == U_WHITE_SPACE_NEUTRAL ||
         direction == U_BLOCK_SEPARATOR || direction == U_SEGMENT_SEPARATOR;
}

/// \w of Python's re: str.isalnum or underscore. Letters and whatever has a numeric value.
bool is_word(char32_t c) {
  if (c == U'_') return true;
  const auto code = static_cast<UChar32>(c);
  return u_isalpha(code) || u_getIntPropertyValue(code, UCHAR_NUMERIC_TYPE) != U_NT_NONE;
}

bool is_ascii_punctuation(char32_t c) {
  return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) || (c >= 0x7B && c <= 0x7E);
}

/// LongBench's list, as it stands there: \u300A and \u3008, for example, are not in it, \u300B is.
bool is_chinese_punctuation(char32_t c) {
  static constexpr std::pair<char32_t, char32_t> ranges[] = {
      {0x2013, 0x2014}, {0x2018, 0x2019}, {0x201B, 0x201F}, {0x2026, 0x2027}, {0x3001, 0x3003},
      {0x300B, 0x3011}, {0x3014, 0x301F}, {0x3030, 0x3030}, {0x303E, 0x303F}, {0xFE4F, 0xFE4F},
      {0xFF01, 0xFF0D}, {0xFF0F, 0xFF0F}, {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40}, {0xFF5B, 0xFF64}};
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](const auto& range) { return c >= range.first && c <= range.second; });
}

/// Runs of word characters that are exactly a, an or the become a space (re.sub(r"\b(a|an|the)\b", " ", text)).
std::u32string drop_articles(const std::u32string& text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end == at) {
      out += text[at++];
      continue;
    }
    const std::u32string word = text.substr(at, end - at);
    const bool article = word == U"a" || word == U"an" || word == U"the";
    out += article ? std::u32string(U" ") : word;
    at = end;
  }
  return out;
}

}  // namespace

std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Decoded c = utf8::decode(text, at);
    out += c.length == 0 ? U'\uFFFD' : c.code_point;
    at += std::max<std::size_t>(c.length, 1);
  }
  return out;
}

std::string encode_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) utf8::append(out, c);
  return out;
}

std::string lower_case(std::string_view text) {
  icu::UnicodeString wide =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  wide.toLower(icu::Locale::getRoot());
  std::string out;
  wide.toUTF8String(out);
  return out;
}

std::vector<std::string> split_spaces(std::string_view text) {
  std::vector<std::string> out;
  std::u32string word;
  for (const char32_t c : decode_utf8(text)) {
    if (!is_python_space(c)) {
      word += c;
    } else if (!word.empty()) {
      out.push_back(encode_utf8(word));
      word.clear();
    }
  }
  if (!word.empty()) out.push_back(encode_utf8(word));
  return out;
}

std::string collapse_spaces(std::string_view text) {
  std::string out;
  for (const auto& word : split_spaces(text)) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

std::string strip(std::string_view text) {
  const std::u32string wide = decode_utf8(text);
  std::size_t begin = 0, end = wide.size();
  while (begin < end && is_python_space(wide[begin])) ++begin;
  while (end > begin && is_python_space(wide[end - 1])) --end;
  return encode_utf8(std::u32string_view(wide).substr(begin, end - begin));
}

std::string normalize_answer(std::string_view text) {
  std::u32string wide = decode_utf8(lower_case(text));
  std::erase_if(wide, is_ascii_punctuation);
  return collapse_spaces(encode_utf8(drop_articles(wide)));
}

std::string normalize_chinese(std::string_view text) {
  std::u32string wide = decode_utf8(lower_case(text));
  std::erase_if(wide,
                [](char32_t c) { return is_ascii_punctuation(c) || is_chinese_punctuation(c) || is_python_space(c); });
  return encode_utf8(wide);
}

}  // namespace kvmend
