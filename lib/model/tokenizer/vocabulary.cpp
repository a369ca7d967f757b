#include "model/tokenizer/vocabulary.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "model/in_quotes.h"
#include "model/tokenizer/byte_alphabet.h"

namespace kvmend {
namespace {

constexpr std::int64_t max_tokens = std::int64_t{1} << 24;  // sixty times the largest published vocabulary

std::string with_spaces(std::string_view text, std::string_view mark) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool marked = text.substr(at).starts_with(mark);
    out += marked ? ' ' : text[at];
    at += marked ? mark.size() : 1;
  }
  return out;
}

}  // namespace

std::size_t Vocabulary::slot_of(std::string_view text) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = fast_hash(text.data(), text.size()) & mask;
  while (slots_[at] >= 0 && texts_[static_cast<std::size_t>(slots_[at])] != text) at = (at + 1) & mask;
  return at;
}

void Vocabulary::grow() {
  std::vector<std::int32_t> old(slots_.size() * 2, -1);
  old.swap(slots_);
  for (const std::int32_t id : old) {
    if (id >= 0) slots_[slot_of(texts_[static_cast<std::size_t>(id)])] = id;
  }
}

void Vocabulary::add(std::int64_t id, std::string text) {
  if (id < 0 || id >= max_tokens) {
    fail(ErrorKind::data, "{}: token {} has the id {}; ids are 0 to {}", where_, in_quotes(text), id, max_tokens - 1);
  }
  const auto at = static_cast<std::size_t>(id);
  if (at >= texts_.size()) {
    texts_.resize(at + 1);
    known_.resize(at + 1);
  }
  if (known_[at] && texts_[at] != text) {
    fail(ErrorKind::data, "{}: tokens {} and {} have the same id {}", where_, in_quotes(texts_[at]), in_quotes(text),
         id);
  }
  const std::size_t slot = slot_of(text);
  if (slots_[slot] >= 0 && slots_[slot] != id) {
    fail(ErrorKind::data, "{}: token {} has two ids, {} and {}", where_, in_quotes(text), slots_[slot], id);
  }
  known_[at] = true;
  texts_[at] = std::move(text);
  if (slots_[slot] >= 0) return;
  slots_[slot] = static_cast<std::int32_t>(id);
  if (++count_ * 2 > slots_.size()) grow();
}

std::int32_t Vocabulary::find(std::string_view text) const { return slots_[slot_of(text)]; }

std::int32_t Vocabulary::at(std::string_view text, const std::string& user) const {
  const std::int32_t id = find(text);
  if (id < 0) {
    fail(ErrorKind::data, "{}: {} names the token {}, which the vocabulary lacks", where_, user, in_quotes(text));
  }
  return id;
}

bool Vocabulary::contains_id(std::int64_t id) const {
  return id >= 0 && id < static_cast<std::int64_t>(known_.size()) && known_[static_cast<std::size_t>(id)];
}

void add_merge(Bpe& bpe, const Vocabulary& vocabulary, std::string_view left, std::string_view right,
               std::uint32_t rank) {
  const auto user = [&] { return fmt::format("merge {} ({} with {})", rank, in_quotes(left), in_quotes(right)); };
  if (left.empty() || right.empty()) fail(ErrorKind::data, "{}: {} joins nothing", vocabulary.where(), user());
  const std::int32_t left_id = vocabulary.find(left);
  const std::int32_t right_id = vocabulary.find(right);
  const std::int32_t id = vocabulary.find(std::string(left).append(right));
  if (left_id < 0 || right_id < 0 || id < 0) {
    const std::string lacking = left_id < 0    ? std::string(left)
                                : right_id < 0 ? std::string(right)
                                               : std::string(left).append(right);
    vocabulary.at(lacking, user());
  }
  bpe.merges.add(left_id, right_id, {rank, id});
}

void set_symbols(Bpe& bpe, const Vocabulary& vocabulary, const std::vector<bool>& plain) {
  const auto plain_id = [&](std::string_view text) {
    const std::int32_t id = vocabulary.find(text);
    return id >= 0 && plain[static_cast<std::size_t>(id)] ? id : -1;
  };
  if (bpe.byte_level) {
    for (unsigned b = 0; b < 256; ++b) {
      std::string character;
      utf8::append(character, byte_character(static_cast<unsigned char>(b)));
      bpe.byte_ids[b] = plain_id(character);
    }
  }
  const auto& texts = vocabulary.texts();
  for (std::size_t id = 0; id < texts.size(); ++id) {
    const std::string& text = texts[id];
    if (text.empty() || !vocabulary.known()[id]) continue;
    if (bpe.byte_fallback && !bpe.byte_level) {
      if (const auto byte = fallback_byte(text)) bpe.byte_ids[*byte] = static_cast<std::int32_t>(id);
    }
    if (!plain[id]) continue;
    const utf8::Decoded first = utf8::decode(text, 0);
    if (!bpe.byte_level && first.length == text.size())
      bpe.characters[first.code_point] = static_cast<std::int32_t>(id);
    if (bpe.ignore_merges) {
      bpe.whole[bpe.byte_level ? bytes_of_characters(text).value_or(text) : text] = static_cast<std::int32_t>(id);
    }
  }
}

void set_token_bytes(Pipeline& pipeline, const Vocabulary& vocabulary, std::string_view space_mark) {
  const auto& texts = vocabulary.texts();
  pipeline.known = vocabulary.known();
  pipeline.token_bytes.resize(texts.size());
  for (std::size_t id = 0; id < texts.size(); ++id) {
    std::string bytes = texts[id];
    if (pipeline.bpe.byte_level) {
      bytes = bytes_of_characters(bytes).value_or(bytes);
    } else if (const auto byte = fallback_byte(bytes); byte && pipeline.bpe.byte_fallback) {
      bytes.assign(1, static_cast<char>(*byte));
    } else if (!space_mark.empty()) {
      bytes = with_spaces(bytes, space_mark);
    }
    pipeline.token_bytes[id] = std::move(bytes);
  }
  for (const AddedToken& token : pipeline.added) {
    const bool spaced = token.normalized && !space_mark.empty();
    pipeline.token_bytes[static_cast<std::size_t>(token.id)] =
        spaced ? with_spaces(token.content, space_mark) : token.content;
  }
}

void set_word_bytes(Pipeline& pipeline, const Vocabulary& vocabulary, std::string_view mark) {
  pipeline.known = vocabulary.known();
  pipeline.strips_space = true;
  for (const std::string& text : vocabulary.texts()) {
    pipeline.token_bytes.push_back(text.starts_with(mark) ? text.substr(mark.size()) : " " + text);
  }
}

bool is_end_of_turn(std::string_view text) {
  static constexpr std::array<std::string_view, 9> known{"<|im_end|>",      "<|eot_id|>",    "<|eom_id|>",
                                                         "<|end_of_text|>", "<|endoftext|>", "<end_of_turn>",
                                                         "<eos>",           "</s>",          "<|end|>"};
  return std::find(known.begin(), known.end(), text) != known.end();
}

}  // namespace kvmend
