#pragma once
#include <string>

#include "model/tokenizer/json_field.h"
#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/pre_tokenizer.h"

namespace kvmend {

/// What the components of a tokenizer.json tell about undoing them.
struct JsonTraits {
  bool byte_level = false;
  std::string space_mark;     ///< what stands for a space; "": nothing does
  bool strips_space = false;  ///< a mark is put in front that decoding takes away
  bool every_section = false;
};

/// Each reads one component (null: none) and notes what decoding must know. They throw Error(data) for a component
/// that is unknown, naming it and those that are known.
NormalizerPtr read_normalizer(const JsonField& field, JsonTraits& traits);
PreTokenizerPtr read_pre_tokenizer(const JsonField& field, JsonTraits& traits);
/// Decoding undoes what encoding did; the decoder is only checked for being one of those that do.
void check_decoder(const JsonField& field);
/// The special tokens that the post-processor puts around a text, each "" where it puts none.
struct Ends {
  std::string leading, trailing;
};
Ends read_ends(const JsonField& field);

}  // namespace kvmend
