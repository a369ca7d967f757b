#include "model/gguf_tokenizer.h"

#include "core/error.h"
#include "model/in_quotes.h"

namespace kvmend {
namespace {

template <class T>
void require_one_a_token(const GgufMetadata& metadata, const char* key, const std::vector<T>& list,
                         std::size_t tokens) {
  if (!list.empty() && list.size() != tokens) {
    fail(ErrorKind::data, "{}: key '{}' has {} entries for {} tokens", metadata.file(), key, list.size(), tokens);
  }
}

}  // namespace

int gguf_token_id(const GgufMetadata& metadata, const std::string& key, int vocab) {
  const auto id = metadata.integer(key);
  if (!id) return -1;
  if (*id < 0 || *id >= vocab) {
    fail(ErrorKind::data, "{}: key {}: {} is no id of a vocabulary of {}", metadata.file(), in_quotes(key), *id, vocab);
  }
  return static_cast<int>(*id);
}

TokenizerSource read_gguf_tokenizer(const GgufMetadata& metadata, int vocab) {
  TokenizerSource source;
  source.gguf_model = metadata.text("tokenizer.ggml.model").value_or("");
  source.gguf_pre = metadata.text("tokenizer.ggml.pre").value_or("");
  source.tokens = metadata.texts("tokenizer.ggml.tokens");
  source.merges = metadata.texts("tokenizer.ggml.merges");
  if (source.tokens.size() > static_cast<std::size_t>(vocab)) {
    fail(ErrorKind::data, "{}: key 'tokenizer.ggml.tokens' has {} tokens, the embedding {} rows", metadata.file(),
         source.tokens.size(), vocab);
  }
  for (const double score : metadata.numbers("tokenizer.ggml.scores"))
    source.scores.push_back(static_cast<float>(score));
  for (const std::int64_t type : metadata.integers("tokenizer.ggml.token_type")) {
    source.token_types.push_back(static_cast<std::int32_t>(type));
  }
  require_one_a_token(metadata, "tokenizer.ggml.scores", source.scores, source.tokens.size());
  require_one_a_token(metadata, "tokenizer.ggml.token_type", source.token_types, source.tokens.size());
  source.bos = gguf_token_id(metadata, "tokenizer.ggml.bos_token_id", vocab);
  source.eos = gguf_token_id(metadata, "tokenizer.ggml.eos_token_id", vocab);
  source.eot = gguf_token_id(metadata, "tokenizer.ggml.eot_token_id", vocab);
  if (source.gguf_model == "bert") {
    source.unknown = gguf_token_id(metadata, "tokenizer.ggml.unknown_token_id", vocab);
    if (source.bos < 0) source.bos = gguf_token_id(metadata, "tokenizer.ggml.cls_token_id", vocab);
    source.eos = gguf_token_id(metadata, "tokenizer.ggml.seperator_token_id", vocab);  // the format's spelling
  }
  // What tokenizers of these kinds do where the file is silent: SentencePiece and Llama 3's put BOS first.
  const bool usual = source.gguf_model == "llama" || source.gguf_model == "bert" || source.gguf_pre == "llama-bpe" ||
                     source.gguf_pre == "llama3";
  source.add_bos = metadata.boolean("tokenizer.ggml.add_bos_token").value_or(usual);
  source.add_space_prefix = metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(true);
  return source;
}

}  // namespace kvmend
