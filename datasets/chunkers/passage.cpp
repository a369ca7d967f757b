#include "core/error.h"
#include "datasets/chunkers/builders.h"

namespace kvmend {
namespace {

/// The benchmark's own documents, one a chunk. Text before the first document belongs to it.
class PassageChunker final : public Chunker {
 public:
  std::vector<int> cut(std::string_view, std::span<const Token> tokens,
                       std::span<const std::size_t> passages) const override {
    if (tokens.empty()) return {};
    if (passages.empty()) {
      fail(ErrorKind::usage,
           "chunker passage: this task's context is not made of documents; use fixed, sentence or paragraph");
    }
    return ends_at_offsets(tokens, passages.subspan(1));
  }

  Value canonical() const override { return "passage"; }
};

}  // namespace

std::unique_ptr<Chunker> make_passage_chunker() { return std::make_unique<PassageChunker>(); }

}  // namespace kvmend
