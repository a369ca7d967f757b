#pragma once
#include <string>
#include <vector>

#include "core/random.h"

namespace kvmend {

/// What a needle is about: RULER's three kinds of keys and values.
enum class NeedleKind : std::uint8_t { word, number, uuid };

/// "lucid-harbor" (from our own lists), 7 digits, or a version 4 UUID.
std::string random_needle_text(NeedleKind kind, Random& random);
/// "words", "numbers", "uuids": the noun in the needle's sentence.
std::string needle_noun(NeedleKind kind);

/// n letters, the first of the alphabet being `first`.
std::string random_letters(int n, Random& random, char first = 'A');

/// The lists that word needles are made from.
std::vector<std::string> needle_adjectives();
std::vector<std::string> needle_nouns();

}  // namespace kvmend
