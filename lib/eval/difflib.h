#pragma once
#include <string_view>

namespace kvmend {

/// Python's difflib.SequenceMatcher(None, a, b).ratio(): twice the characters in matching blocks over all characters, the
/// blocks found longest first. Characters that make up over 1 % of a `b` of 200 or more start no block ("automatic junk").
double matching_ratio(std::u32string_view a, std::u32string_view b);

}  // namespace kvmend
