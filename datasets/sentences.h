#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace kvmend {

/// Byte offsets behind each sentence: behind . ! ? or their full-width forms with any closing quotes and brackets, when
/// white space or the end follows (full-width marks need none), but not behind a known abbreviation, a single initial
/// ("J. Brill") or the number of a list. A line break ends a sentence too when `lines` is set. The last offset is the
/// end of the text, whatever it ends with, if anything but white space is left over. Increasing; empty for blank text.
std::vector<std::size_t> sentence_ends(std::string_view text, bool lines = false);

}  // namespace kvmend
