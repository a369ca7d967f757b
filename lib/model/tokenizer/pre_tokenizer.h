#pragma once
#include <memory>
#include <string>
#include <vector>

#include "model/tokenizer/aligned_text.h"
#include "model/tokenizer/pattern.h"

namespace kvmend {

/// A normalised text and the pieces of it that the model sees one by one; in order, they may leave gaps.
struct PreTokens {
  AlignedText text;
  std::vector<TextRange> pieces;
};

/// What becomes of the matches of a split pattern, under their published names.
enum class SplitBehavior : std::uint8_t { removed, isolated, merged_with_previous, merged_with_next, contiguous };
/// When a prefix goes in front of a piece.
enum class PrependScheme : std::uint8_t { never, first, always };

/// A step of the tokenizer that splits text into pieces (and, some of them, rewrites it).
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(PreTokens& tokens) const = 0;
  /// Canonical description: part of the tokenizer's fingerprint.
  virtual std::string describe() const = 0;
};
using PreTokenizerPtr = std::unique_ptr<const PreTokenizer>;

PreTokenizerPtr make_split(Pattern pattern, std::string description, SplitBehavior behavior, bool invert);
/// Digits apart from everything else: each by itself, or runs of them.
PreTokenizerPtr make_digits(bool individual);
/// The text side of byte level: a space in front of pieces without one, and GPT-2's split pattern.
PreTokenizerPtr make_byte_level(bool add_prefix_space, bool use_pattern);
/// Spaces become `mark`, which starts a piece if `split`.
PreTokenizerPtr make_metaspace(std::string mark, PrependScheme scheme, bool split);
PreTokenizerPtr make_sequence(std::vector<PreTokenizerPtr> steps);

}  // namespace kvmend
