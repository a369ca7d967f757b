#include "model/tokenizer/unicode.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <array>

namespace kvmend::unicode {
namespace {

struct Range {
  char32_t first, last;
};

// Numbers of Unicode 15 to 17 that an ICU older than that does not know.
constexpr std::array<Range, 12> newer_numbers{{{0x10D40, 0x10D49},
                                               {0x116D0, 0x116E3},
                                               {0x11BF0, 0x11BF9},
                                               {0x11DE0, 0x11DE9},
                                               {0x11F50, 0x11F59},
                                               {0x16130, 0x16139},
                                               {0x16D70, 0x16D79},
                                               {0x16FF4, 0x16FF6},
                                               {0x1CCF0, 0x1CCF9},
                                               {0x1D2C0, 0x1D2D3},
                                               {0x1E4F0, 0x1E4F9},
                                               {0x1E5F1, 0x1E5FA}}};

}  // namespace

std::string_view letters_since_15() {
  return R"(\x{1C89}-\x{1C8A}\x{A7CB}-\x{A7CD}\x{A7DA}-\x{A7DC}\x{105C0}-\x{105F3}\x{10D4A}-\x{10D65})"
         R"(\x{10D6F}-\x{10D85}\x{10EC2}-\x{10EC4}\x{1123F}-\x{11240}\x{11380}-\x{11389}\x{1138B}\x{1138E})"
         R"(\x{11390}-\x{113B5}\x{113B7}\x{113D1}\x{113D3}\x{11BC0}-\x{11BE0}\x{11F02}\x{11F04}-\x{11F10})"
         R"(\x{11F12}-\x{11F33}\x{1342F}\x{13441}-\x{13446}\x{13460}-\x{143FA}\x{16100}-\x{1611D})"
         R"(\x{16D40}-\x{16D6C}\x{18CFF}\x{1B132}\x{1B155}\x{1DF25}-\x{1DF2A}\x{1E030}-\x{1E06D})"
         R"(\x{1E4D0}-\x{1E4EB}\x{1E5D0}-\x{1E5ED}\x{1E5F0}\x{2B739}\x{2EBF0}-\x{2EE5D}\x{31350}-\x{323AF})";
}

std::string_view numbers_since_15() {
  return R"(\x{10D40}-\x{10D49}\x{116D0}-\x{116E3}\x{11BF0}-\x{11BF9}\x{11F50}-\x{11F59}\x{16130}-\x{16139})"
         R"(\x{16D70}-\x{16D79}\x{1CCF0}-\x{1CCF9}\x{1D2C0}-\x{1D2D3}\x{1E4F0}-\x{1E4F9}\x{1E5F1}-\x{1E5FA})";
}

std::string_view white_space() {
  return R"(\x{09}-\x{0D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
}

std::string_view not_white_space() {
  return R"(\x{00}-\x{08}\x{0E}-\x{1F}\x{21}-\x{84}\x{86}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF})"
         R"(\x{200B}-\x{2027}\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{10FFFF})";
}

bool is_numeric(char32_t c) {
  if (c < 0x80) return c >= U'0' && c <= U'9';
  const auto mask = U_GET_GC_MASK(static_cast<UChar32>(c));
  if ((mask & (U_GC_ND_MASK | U_GC_NL_MASK | U_GC_NO_MASK)) != 0) return true;
  return std::any_of(newer_numbers.begin(), newer_numbers.end(),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

bool is_white_space(char32_t c) { return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_WHITE_SPACE) != 0; }

char32_t lower(char32_t c) {
  if (c < 0x1C89) return static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
  switch (c) {  // letters of Unicode 16 and 17 that an ICU older than those does not know
    case 0x1C89:
    case 0xA7CC:
    case 0xA7CE:
    case 0xA7D2:
    case 0xA7D4:
    case 0xA7DA: return c + 1;
    case 0xA7CB: return 0x264;
    case 0xA7DC: return 0x19B;
    default: break;
  }
  if (c >= 0x10D50 && c <= 0x10D65) return c + 0x20;
  if (c >= 0x16EA0 && c <= 0x16EB8) return c + 0x1B;
  return static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
}

bool is_word(char32_t c) {
  const auto code = static_cast<UChar32>(c);
  const auto mask = U_GET_GC_MASK(code);
  return u_hasBinaryProperty(code, UCHAR_ALPHABETIC) != 0 || u_hasBinaryProperty(code, UCHAR_JOIN_CONTROL) != 0 ||
         (mask & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0;
}

}  // namespace kvmend::unicode
