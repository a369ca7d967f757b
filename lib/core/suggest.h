#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace kvmend {

/// The candidate nearest to `word` (Damerau–Levenshtein within a third of its length, or a prefix), or "".
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

/// "; did you mean 'x'?" or, with nothing near and at most 12 candidates, "; known: a, b, c". May be empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace kvmend
