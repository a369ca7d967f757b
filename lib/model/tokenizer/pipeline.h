#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/tokenizer.h"
#include "model/tokenizer/added_tokens.h"
#include "model/tokenizer/bpe.h"
#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/pre_tokenizer.h"
#include "model/tokenizer/word_piece.h"

namespace kvmend {

/// Everything that makes a tokenizer, whichever file it was read from.
struct Pipeline {
  NormalizerPtr normalizer;       ///< null: none
  PreTokenizerPtr pre_tokenizer;  ///< null: the whole text is one piece
  Bpe bpe;
  std::optional<WordPiece> word_piece;  ///< in place of bpe
  std::vector<AddedToken> added;
  std::vector<std::string> token_bytes;  ///< by id: what the token decodes to
  std::vector<bool> known;               ///< by id: false for ids that no token has
  bool strips_space = false;             ///< decoding drops the space that encoding put in front
  bool every_section = false;            ///< … also behind each added token
  int bos = -1, eos = -1;
  bool add_bos = false;
  std::vector<int> stops;
};

/// From GGUF fields. Throws Error(data).
Pipeline read_gguf_pipeline(const TokenizerSource& source);
/// From tokenizer.json and the tokenizer_config.json beside it. Throws Error(data).
Pipeline read_json_pipeline(const TokenizerSource& source);

/// Completes `pipeline.stops` with `extra` and builds the tokenizer.
std::unique_ptr<Tokenizer> make_tokenizer(Pipeline pipeline);

}  // namespace kvmend
