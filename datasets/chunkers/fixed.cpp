#include <algorithm>

#include "datasets/chunkers/builders.h"

namespace kvmend {
namespace {

/// n tokens a chunk; the last one takes what is left.
class FixedChunker final : public Chunker {
 public:
  explicit FixedChunker(int tokens) : tokens_(tokens) {}

  std::vector<int> cut(std::string_view, std::span<const Token> tokens, std::span<const std::size_t>) const override {
    std::vector<int> ends;
    const int n = static_cast<int>(tokens.size());
    for (int end = 0; end < n;) {
      end += std::min(tokens_, n - end);
      ends.push_back(end);
    }
    return ends;
  }

  Value canonical() const override {
    Value out;
    out.set("fixed", tokens_);
    return out;
  }

 private:
  int tokens_;
};

}  // namespace

std::unique_ptr<Chunker> make_fixed_chunker(int tokens) { return std::make_unique<FixedChunker>(tokens); }

}  // namespace kvmend
