#include "datasets/chunkers/builders.h"

namespace kvmend {
namespace {

/// Text between blank lines; the blank lines belong to the paragraph before them.
class ParagraphChunker final : public Chunker {
 public:
  std::vector<int> cut(std::string_view text, std::span<const Token> tokens,
                       std::span<const std::size_t>) const override {
    if (tokens.empty()) return {};
    std::vector<std::size_t> starts;
    int breaks = 0;     // line breaks since the last visible character
    bool seen = false;  // leading blank lines belong to the first paragraph
    for (std::size_t at = tokens.front().begin; at < tokens.back().end; ++at) {
      const char c = text[at];
      if (c == '\n') {
        ++breaks;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        if (seen && breaks >= 2) starts.push_back(line_start(text, at));
        breaks = 0;
        seen = true;
      }
    }
    return ends_at_offsets(tokens, starts);
  }

  Value canonical() const override { return "paragraph"; }

 private:
  /// An indent belongs to the paragraph it begins.
  static std::size_t line_start(std::string_view text, std::size_t at) { return text.rfind('\n', at) + 1; }
};

}  // namespace

std::unique_ptr<Chunker> make_paragraph_chunker() { return std::make_unique<ParagraphChunker>(); }

}  // namespace kvmend
