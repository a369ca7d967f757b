#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"
#include "model/tokenizer.h"

namespace kvmend {

/// Sentence embeddings by a BERT-style encoder, as the package sentence-transformers computes them: [CLS], the text without
/// the white space around it, cut to the encoder's length, [SEP]; the mean of the last layer's rows, at length 1.
class SentenceEncoder {
 public:
  /// `name` as `model:` takes it. Throws Error(data) as opening a model does, and for another pooling than the mean;
  /// Error(usage) for a model that is no encoder.
  SentenceEncoder(const std::string& name, const BackendOptions& backend);

  /// [d_model]
  std::vector<float> embed(std::string_view text) const;
  /// With [CLS] and [SEP]; the rest of a longer text is left out.
  int max_tokens() const { return max_tokens_; }

 private:
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<Model> model_;
  int max_tokens_ = 0;
};

/// Cosine of two embeddings of length 1, as embed() gives them: what they add up to, divided by nothing.
double cosine(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace kvmend
