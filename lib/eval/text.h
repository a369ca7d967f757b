#pragma once
// Text as the published scorers (Python) see it: Unicode case, white space and words. Invalid UTF-8 counts as U+FFFD.
#include <string>
#include <string_view>
#include <vector>

namespace kvmend {

/// str.lower(): Unicode's full lower-casing, final sigma included, no locale.
std::string lower_case(std::string_view text);
/// str.split(): parts between runs of Unicode white space (the separators U+001C to U+001F among them).
std::vector<std::string> split_spaces(std::string_view text);
/// " ".join(str.split()).
std::string collapse_spaces(std::string_view text);
/// str.strip().
std::string strip(std::string_view text);

/// What question-answering scores compare (SQuAD's evaluation script): lower case, ASCII punctuation dropped, the words
/// a, an and the replaced by a space, spaces collapsed.
std::string normalize_answer(std::string_view text);

/// The same for Chinese (LongBench): lower case, ASCII and Chinese punctuation and all white space dropped.
std::string normalize_chinese(std::string_view text);

/// UTF-8 to code points and back; invalid bytes become U+FFFD.
std::u32string decode_utf8(std::string_view text);
std::string encode_utf8(std::u32string_view text);

}  // namespace kvmend
