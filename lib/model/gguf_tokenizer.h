#pragma once
#include <string>

#include "model/gguf_metadata.h"
#include "model/model_files.h"

namespace kvmend {

/// The tokenizer's fields ("tokenizer.ggml.…") of a GGUF file. `vocab`: the number of rows the embedding has; more
/// tokens than that, lists of another length and ids past the end throw Error(data).
TokenizerSource read_gguf_tokenizer(const GgufMetadata& metadata, int vocab);

/// The id a key names, −1 if there is none.
int gguf_token_id(const GgufMetadata& metadata, const std::string& key, int vocab);

}  // namespace kvmend
