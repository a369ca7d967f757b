#pragma once
#include <span>
#include <vector>

#include "model/model.h"

namespace kvmend {

/// Logits of a prompt by itself, without units, reuse or decoding.
struct BareLogits {
  std::size_t rows = 0, vocab = 0;
  std::vector<float> values;  ///< [rows, vocab]
  std::span<const float> row(std::size_t i) const { return std::span(values).subspan(i * vocab, vocab); }
};

/// Of every position, or of the last only. Throws Error(usage) for no ids, ids outside the vocabulary, too many ids.
BareLogits bare_logits(const Model& model, std::span<const std::int32_t> ids, bool every_position);

/// What the last layer gives, [ids, d_model]: an encoder's output. The same errors.
std::vector<float> bare_hidden(const Model& model, std::span<const std::int32_t> ids);

}  // namespace kvmend
