#pragma once
#include <string_view>

namespace kvmend {

inline constexpr std::string_view word_mark = "\xE2\x96\x81";  // U+2581, SentencePiece's visible space

}  // namespace kvmend
