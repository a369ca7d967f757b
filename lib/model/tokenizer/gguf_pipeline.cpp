// Tokenizers out of GGUF fields. The files name the published pipeline ("smollm", "qwen2") and do not describe it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/utf8.h"
#include "model/in_quotes.h"
#include "model/tokenizer/bert_pipeline.h"
#include "model/tokenizer/vocabulary.h"
#include "model/tokenizer/word_mark.h"

namespace kvmend {
namespace {

/// tokenizer.ggml.token_type
enum TokenType : std::int32_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

// Contractions, letters with what stands before them, digits (how many differs), signs, line ends, spaces.
std::string split_pattern(std::string_view digits) {
  return fmt::format(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|)"
                     R"(\s*[\r\n]+|\s+(?!\S)|\s+)",
                     digits);
}

PreTokenizerPtr split_then_bytes(const std::string& pattern, const std::string& pre) {
  std::vector<PreTokenizerPtr> steps;
  steps.push_back(make_split(Pattern(pattern, pre), pattern, SplitBehavior::isolated, false));
  steps.push_back(make_byte_level(false, false));
  return make_sequence(std::move(steps));
}

void set_pre_tokenizer(Pipeline& pipeline, const std::string& pre) {
  if (pre == "gpt-2") {
    pipeline.pre_tokenizer = make_byte_level(false, true);
  } else if (pre == "smollm") {
    std::vector<PreTokenizerPtr> steps;
    steps.push_back(make_digits(true));
    steps.push_back(make_byte_level(false, true));
    pipeline.pre_tokenizer = make_sequence(std::move(steps));
  } else if (pre == "qwen2") {
    pipeline.normalizer = make_nfc();
    pipeline.pre_tokenizer = split_then_bytes(split_pattern(R"(\p{N})"), pre);
  } else if (pre == "llama-bpe" || pre == "llama-v3" || pre == "llama3") {
    pipeline.pre_tokenizer = split_then_bytes(split_pattern(R"(\p{N}{1,3})"), pre);
    pipeline.bpe.ignore_merges = true;
  } else {
    fail(ErrorKind::data, "tokenizer.ggml.pre: the pre-tokeniser {} is unknown; known: smollm, qwen2, llama-bpe, gpt-2",
         in_quotes(pre));
  }
}

/// Older converters mark the rows that pad the vocabulary as user defined.
bool is_padding(const std::string& text, std::size_t id) { return text == fmt::format("[PAD{}]", id); }

std::int32_t type_of(const TokenizerSource& source, std::size_t id) {
  const std::int32_t type = source.token_types.empty() ? std::int32_t{normal} : source.token_types[id];
  return type == user_defined && is_padding(source.tokens[id], id) ? std::int32_t{unused} : type;
}

void check_lengths(const TokenizerSource& source) {
  const auto check = [&](const char* field, std::size_t size, bool optional) {
    if (size == source.tokens.size() || (optional && size == 0)) return;
    fail(ErrorKind::data, "tokenizer.ggml.{} has {} entries for {} tokens", field, size, source.tokens.size());
  };
  if (source.tokens.empty()) fail(ErrorKind::data, "tokenizer.ggml.tokens: the file has no vocabulary");
  check("token_type", source.token_types.size(), true);
  check("scores", source.scores.size(), source.gguf_model != "llama");
}

void add_tokens(const TokenizerSource& source, Pipeline& pipeline, Vocabulary& vocabulary) {
  for (std::size_t id = 0; id < source.tokens.size(); ++id) {
    const std::int32_t type = type_of(source, id);
    if (type < normal || type > byte) fail(ErrorKind::data, "tokenizer.ggml.token_type[{}]: {} is no type", id, type);
    vocabulary.add(static_cast<std::int64_t>(id), source.tokens[id]);
    if (type == control || type == unknown || type == user_defined) {
      AddedToken token;
      token.id = static_cast<std::int32_t>(id);
      token.content = source.tokens[id];
      token.special = type != user_defined;
      pipeline.added.push_back(std::move(token));
    }
    if (type == unknown && pipeline.bpe.unknown < 0) pipeline.bpe.unknown = static_cast<std::int32_t>(id);
  }
}

std::vector<bool> plain_tokens(const TokenizerSource& source) {
  std::vector<bool> plain(source.tokens.size());
  for (std::size_t id = 0; id < plain.size(); ++id) {
    const std::int32_t type = type_of(source, id);
    plain[id] = type == normal || type == user_defined;
  }
  return plain;
}

void read_merges(const TokenizerSource& source, const Vocabulary& vocabulary, Bpe& bpe) {
  if (source.merges.empty()) fail(ErrorKind::data, "tokenizer.ggml.merges: the file has no merges");
  bpe.merges.reserve(source.merges.size());
  for (std::size_t rank = 0; rank < source.merges.size(); ++rank) {
    const std::string_view merge = source.merges[rank];
    const std::size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || merge.find(' ', space + 1) != std::string_view::npos) {
      fail(ErrorKind::data, "tokenizer.ggml.merges[{}]: {} is not two tokens with a space between", rank,
           in_quotes(merge));
    }
    add_merge(bpe, vocabulary, merge.substr(0, space), merge.substr(space + 1), static_cast<std::uint32_t>(rank));
  }
}

/// SentencePiece joins the neighbours whose joined token has the best score, the leftmost of equals: every way to
/// split a token in two is a merge with the rank of the token's score.
void merges_from_scores(const TokenizerSource& source, const Vocabulary& vocabulary, const std::vector<bool>& plain,
                        Bpe& bpe) {
  for (std::size_t id = 0; id < source.scores.size(); ++id) {
    if (!std::isfinite(source.scores[id])) {
      fail(ErrorKind::data, "tokenizer.ggml.scores[{}]: {} is no score", id, source.scores[id]);
    }
  }
  std::vector<float> order = source.scores;
  std::sort(order.begin(), order.end(), std::greater<>());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  const auto plain_id = [&](std::string_view text) {
    const std::int32_t id = vocabulary.find(text);
    return id >= 0 && plain[static_cast<std::size_t>(id)] ? id : -1;
  };
  for (std::size_t id = 0; id < source.tokens.size(); ++id) {
    const std::string_view text = source.tokens[id];
    if (!plain[id]) continue;
    const auto rank = std::lower_bound(order.begin(), order.end(), source.scores[id], std::greater<>()) - order.begin();
    for (std::size_t at = 1; at < text.size(); ++at) {
      if (utf8::continues(text[at])) continue;
      const std::int32_t left = plain_id(text.substr(0, at));
      const std::int32_t right = left < 0 ? -1 : plain_id(text.substr(at));
      if (right >= 0) bpe.merges.add(left, right, {static_cast<std::uint32_t>(rank), static_cast<std::int32_t>(id)});
    }
  }
}

void set_sentencepiece(const TokenizerSource& source, const Vocabulary& vocabulary, Pipeline& pipeline) {
  const std::string mark(word_mark);
  std::vector<NormalizerPtr> steps;
  if (source.add_space_prefix) steps.push_back(make_prepend(mark));
  steps.push_back(make_replace(Pattern::literal(" ", "llama"), "space", mark));
  pipeline.normalizer = make_sequence(std::move(steps));
  pipeline.strips_space = pipeline.every_section = source.add_space_prefix;
  pipeline.bpe.byte_fallback = true;
  pipeline.bpe.fuse_unknown = true;
  const std::vector<bool> plain = plain_tokens(source);
  set_symbols(pipeline.bpe, vocabulary, plain);
  merges_from_scores(source, vocabulary, plain, pipeline.bpe);
  pipeline.bpe.find_cuts(
      [&](std::int32_t id) { return std::string_view(source.tokens[static_cast<std::size_t>(id)]); });
  set_token_bytes(pipeline, vocabulary, mark);
}

/// BERT's: a mark begins words where the published vocabulary marks what goes on inside them.
void set_word_piece(const TokenizerSource& source, const Vocabulary& vocabulary, Pipeline& pipeline) {
  pipeline.normalizer = make_bert_normalizer({});
  pipeline.pre_tokenizer = make_bert_pre_tokenizer();
  pipeline.word_piece.emplace();
  pipeline.known = vocabulary.known();
  pipeline.strips_space = true;
  for (std::size_t id = 0; id < source.tokens.size(); ++id) {
    const std::string& text = source.tokens[id];
    const bool begins = text.starts_with(word_mark);
    const std::string bare = begins ? text.substr(word_mark.size()) : text;
    const std::int32_t type = type_of(source, id);
    if (type == normal && begins) pipeline.word_piece->add_start(bare, static_cast<std::int32_t>(id));
    if (type == normal && !begins) {
      pipeline.word_piece->add_inside(bare, static_cast<std::int32_t>(id));
      pipeline.word_piece->add_start("##" + bare, static_cast<std::int32_t>(id));
    }
    pipeline.token_bytes.push_back(type == normal && !begins ? bare : " " + bare);
  }
  pipeline.word_piece->unknown = source.unknown >= 0 ? source.unknown : pipeline.bpe.unknown;
  if (pipeline.word_piece->unknown < 0) fail(ErrorKind::data, "tokenizer.ggml.unknown_token_id: missing");
}

void set_byte_level(const TokenizerSource& source, const Vocabulary& vocabulary, Pipeline& pipeline) {
  set_pre_tokenizer(pipeline, source.gguf_pre);
  pipeline.bpe.byte_level = true;
  pipeline.bpe.unknown = -1;
  set_symbols(pipeline.bpe, vocabulary, plain_tokens(source));
  read_merges(source, vocabulary, pipeline.bpe);
  set_token_bytes(pipeline, vocabulary, "");
}

}  // namespace

Pipeline read_gguf_pipeline(const TokenizerSource& source) {
  if (source.gguf_model != "gpt2" && source.gguf_model != "llama" && source.gguf_model != "bert") {
    fail(ErrorKind::data, "tokenizer.ggml.model: the tokenizer kind {} is unknown; known: gpt2, llama, bert",
         in_quotes(source.gguf_model));
  }
  check_lengths(source);
  Pipeline pipeline;
  Vocabulary vocabulary("tokenizer.ggml.tokens");
  add_tokens(source, pipeline, vocabulary);
  if (source.gguf_model == "llama") {
    set_sentencepiece(source, vocabulary, pipeline);
  } else if (source.gguf_model == "bert") {
    set_word_piece(source, vocabulary, pipeline);
  } else {
    set_byte_level(source, vocabulary, pipeline);
  }
  // Placeholders decode to nothing: the published vocabulary ends before them.
  for (std::size_t id = 0; id < source.tokens.size(); ++id) {
    if (type_of(source, id) == unused) pipeline.token_bytes[id].clear();
  }
  const auto check_id = [&](int id, const char* field) {
    if (id != -1 && !vocabulary.contains_id(id)) {
      fail(ErrorKind::data, "tokenizer.ggml.{}_token_id: {} is no token; the vocabulary has {}", field, id,
           source.tokens.size());
    }
    return id;
  };
  pipeline.bos = check_id(source.bos, "bos");
  pipeline.eos = check_id(source.eos, "eos");
  pipeline.add_bos = source.add_bos;
  pipeline.stops = {pipeline.eos, check_id(source.eot, "eot")};
  return pipeline;
}

}  // namespace kvmend
