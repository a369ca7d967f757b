#include "datasets/haystack/prose.h"

#include <cctype>

namespace kvmend {

Prose::Prose(std::uint64_t seed) : grammar_(std::string(prose_frames) + prose_words + prose_topics, Random(seed)) {}

std::string Prose::paragraph() {
  // The same topic twice running would read as one long paragraph.
  std::string topic;
  do topic = grammar_.random().pick(grammar_.topics());
  while (topic == topic_);
  topic_ = topic;
  grammar_.begin_paragraph(topic);
  std::string out;
  const auto sentences = grammar_.random().between(4, 9);
  for (std::int64_t i = 0; i < sentences; ++i) {
    std::string sentence = grammar_.expand(i == 0 ? "opening" : "frame");
    char& first = sentence[sentence.front() == '"' ? 1 : 0];
    first = static_cast<char>(std::toupper(static_cast<unsigned char>(first)));
    if (i > 0) out += ' ';
    out += sentence;
  }
  return out;
}

}  // namespace kvmend
