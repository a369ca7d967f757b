#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/params.h"
#include "core/value.h"
#include "model/tokenizer.h"

namespace kvmend {

/// Cuts a context's tokens into chunks. Boundaries are token boundaries; nothing is tokenised again.
class Chunker {
 public:
  virtual ~Chunker() = default;
  /// Ends of the chunks as indices into `tokens` (the last is tokens.size()), increasing, none empty. Token spans are
  /// byte spans in `text`; `passages` are byte offsets in `text` where documents start.
  virtual std::vector<int> cut(std::string_view text, std::span<const Token> tokens,
                               std::span<const std::size_t> passages) const = 0;
  virtual Value canonical() const = 0;  ///< {fixed: 512}: part of cell keys
};

/// `fixed`, `{fixed: 256}`, `{sentence: 256}`, `passage`, `paragraph`. Throws Error(usage) with the place.
std::unique_ptr<Chunker> make_chunker(const Value& spec);
struct ChunkerInfo {
  std::string name, summary;
  std::vector<ParamInfo> params;
};
std::vector<ChunkerInfo> list_chunkers();

}  // namespace kvmend
