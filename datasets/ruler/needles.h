#pragma once
#include <string>
#include <vector>

#include "datasets/ruler/words.h"
#include "datasets/task.h"

namespace kvmend {

/// A text with lines or sentences hidden in it, and where they are (byte spans of the needles given, in their order).
struct HiddenText {
  std::string text;
  std::vector<ByteSpan> needles;
};

/// "One of the special magic numbers for lucid-harbor is: 1234567."
std::string needle_sentence(NeedleKind value_kind, const std::string& key, const std::string& value);

/// RULER's repeated haystack line.
inline constexpr std::string_view noise_line =
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";

/// Hides each needle at a random place among the lines; all places are distinct. Needs at least as many lines.
HiddenText hide_in_lines(const std::vector<std::string>& lines, const std::vector<std::string>& needles,
                         Random& random);

/// Hides needles between the sentences of `text` at depths drawn without replacement from RULER's 40 (0 % to 100 %),
/// in their order. `sentence_ends` are byte offsets behind each sentence; sentences are one space apart.
HiddenText hide_in_sentences(std::string_view text, const std::vector<std::size_t>& sentence_ends,
                             const std::vector<std::string>& needles, Random& random);

}  // namespace kvmend
