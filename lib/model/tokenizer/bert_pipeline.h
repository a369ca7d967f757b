#pragma once
// BERT's published normaliser and pre-tokeniser. Their tables of categories are
// those of Unicode 8 (a few characters have changed theirs since), of decomposition those of 9, of case those of 17.
#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/pre_tokenizer.h"

namespace kvmend {

struct BertNormalizing {
  bool clean_text = true;            ///< control characters vanish, white space becomes spaces
  bool handle_chinese_chars = true;  ///< a space on both sides of each ideograph
  bool strip_accents = true;         ///< canonical decomposition without its non-spacing marks
  bool lowercase = true;
};
NormalizerPtr make_bert_normalizer(const BertNormalizing& what);

/// Words between white space, each punctuation mark by itself.
PreTokenizerPtr make_bert_pre_tokenizer();

}  // namespace kvmend
