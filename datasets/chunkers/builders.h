#pragma once
// The chunkers by name; chunker.cpp holds the table.
#include <memory>

#include "datasets/chunker.h"

namespace kvmend {

std::unique_ptr<Chunker> make_fixed_chunker(int tokens);
std::unique_ptr<Chunker> make_sentence_chunker(int tokens);
std::unique_ptr<Chunker> make_passage_chunker();
std::unique_ptr<Chunker> make_paragraph_chunker();

/// Token ends for byte boundaries: a boundary inside a token moves to that token's end; boundaries that fall together
/// are one; the last is tokens.size(). `offsets` ascend.
std::vector<int> ends_at_offsets(std::span<const Token> tokens, std::span<const std::size_t> offsets);

}  // namespace kvmend
