#pragma once
#include <memory>
#include <string>
#include <vector>

#include "model/tokenizer/aligned_text.h"
#include "model/tokenizer/pattern.h"

namespace kvmend {

/// A step of the tokenizer that rewrites text before it is split.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual AlignedText apply(AlignedText text) const = 0;
  /// Canonical description: part of the tokenizer's fingerprint.
  virtual std::string describe() const = 0;
};
using NormalizerPtr = std::unique_ptr<const Normalizer>;

/// Canonical composition. The published tokenizers' tables are those of Unicode 9: a code point assigned later is
/// left where it stands, as they leave it.
NormalizerPtr make_nfc();
/// Puts `prefix` in front of a text that is not empty.
NormalizerPtr make_prepend(std::string prefix);
NormalizerPtr make_replace(Pattern pattern, std::string description, std::string content);
NormalizerPtr make_sequence(std::vector<NormalizerPtr> steps);

}  // namespace kvmend
