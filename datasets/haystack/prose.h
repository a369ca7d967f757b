#pragma once
#include <cstdint>
#include <string>

#include "datasets/haystack/grammar.h"

namespace kvmend {

/// Endless readable English on everyday subjects, from a grammar of ours: each paragraph has one topic and its people.
/// Nothing in it is a fact that a question could be answered from. The same seed writes the same text everywhere.
class Prose {
 public:
  static constexpr int version = 1;  ///< of the text: raise when any rule changes
  explicit Prose(std::uint64_t seed);
  /// Four to nine sentences, one space apart.
  std::string paragraph();

 private:
  Grammar grammar_;
  std::string topic_;
};

/// The rules: sentence frames, and the words of each topic.
extern const char* const prose_frames;
extern const char* const prose_words;
extern const char* const prose_topics;

}  // namespace kvmend
