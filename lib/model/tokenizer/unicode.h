#pragma once
#include <string_view>

namespace kvmend::unicode {

/// Letters and numbers that Unicode 15.0 to 16.0 added, as ranges for the inside of a PCRE2 class. The published
/// tokenizers' pattern engine knows Unicode 16, Debian 12's PCRE2 knows 14: with these behind \p{L} and \p{N} both
/// classify every code point alike. A PCRE2 that knows them already is not disturbed.
std::string_view letters_since_15();
std::string_view numbers_since_15();

/// White_Space, as ranges for the inside of a PCRE2 class. PCRE2's own \s also takes U+180E.
std::string_view white_space();
/// All other code points.
std::string_view not_white_space();

/// General categories Nd, Nl and No of Unicode 17 (the published Digits pre-tokeniser).
bool is_numeric(char32_t c);
bool is_white_space(char32_t c);
/// Lower case by Unicode 17, where it is one code point (it is, but for U+0130).
char32_t lower(char32_t c);
/// \w of UTS 18: alphabetic, mark, decimal digit, connector punctuation, join control.
bool is_word(char32_t c);

}  // namespace kvmend::unicode
