#include <algorithm>

#include "datasets/chunkers/builders.h"
#include "datasets/sentences.h"

namespace kvmend {
namespace {

/// n tokens a chunk, extended to the end of the sentence that the n-th token is in. A line break ends a sentence too:
/// lists have no full stops.
class SentenceChunker final : public Chunker {
 public:
  explicit SentenceChunker(int tokens) : tokens_(tokens) {}

  std::vector<int> cut(std::string_view text, std::span<const Token> tokens,
                       std::span<const std::size_t>) const override {
    if (tokens.empty()) return {};
    const std::size_t first = tokens.front().begin;
    std::vector<std::size_t> sentence_offsets = sentence_ends(text.substr(first, tokens.back().end - first), true);
    for (auto& offset : sentence_offsets) offset += first;
    const std::vector<int> sentences = ends_at_offsets(tokens, sentence_offsets);
    std::vector<int> ends;
    const int n = static_cast<int>(tokens.size());
    for (int begin = 0; begin < n;) {
      const int wanted = begin + std::min(tokens_, n - begin);
      const auto end = std::lower_bound(sentences.begin(), sentences.end(), wanted);
      begin = end == sentences.end() ? n : *end;
      ends.push_back(begin);
    }
    return ends;
  }

  Value canonical() const override {
    Value out;
    out.set("sentence", tokens_);
    return out;
  }

 private:
  int tokens_;
};

}  // namespace

std::unique_ptr<Chunker> make_sentence_chunker(int tokens) { return std::make_unique<SentenceChunker>(tokens); }

}  // namespace kvmend
