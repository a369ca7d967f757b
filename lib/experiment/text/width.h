#pragma once
// How much room a text takes, in characters (code points) of its UTF-8.
#include <string>
#include <string_view>

namespace kvmend {

std::size_t display_width(std::string_view text);

/// Where the character begins that has `count` before it; the text's size where it has no more than so many.
std::size_t byte_of(std::string_view text, std::size_t count);

std::string pad_right(std::string text, std::size_t width);

/// A text of at most `most` characters: the middle of a longer one is "…".
std::string shorten(const std::string& text, std::size_t most);

}  // namespace kvmend
