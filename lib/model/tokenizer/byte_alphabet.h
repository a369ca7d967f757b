#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace kvmend {

/// The character that stands for a byte in byte-level vocabularies: printable Latin-1 is itself, the other 68 bytes
/// are U+0100 and following, in order.
char32_t byte_character(unsigned char byte);
/// The bytes a byte-level token stands for; nothing if it has a character outside the alphabet.
std::optional<std::string> bytes_of_characters(std::string_view token);
/// The byte that <0x00> … <0xFF> stands for.
std::optional<unsigned char> fallback_byte(std::string_view token);

}  // namespace kvmend
