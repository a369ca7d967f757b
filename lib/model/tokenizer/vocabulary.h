#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/tokenizer/pipeline.h"

namespace kvmend {

/// Tokens by text while a pipeline is read. Messages begin with `where`, the file or field.
class Vocabulary {
 public:
  explicit Vocabulary(std::string where) : where_(std::move(where)), slots_(16, -1) {}

  /// Throws Error(data) for an id that is negative, absurd or taken, and for a text that has another id.
  void add(std::int64_t id, std::string text);
  std::int32_t find(std::string_view text) const;  ///< −1: none
  /// As find(), but throws Error(data) saying that `user` names a token that is missing.
  std::int32_t at(std::string_view text, const std::string& user) const;
  bool contains_id(std::int64_t id) const;
  const std::vector<std::string>& texts() const { return texts_; }  ///< by id; "" for holes
  const std::vector<bool>& known() const { return known_; }
  const std::string& where() const { return where_; }

 private:
  /// The slot that holds `text`, or the empty one where it belongs.
  std::size_t slot_of(std::string_view text) const;
  void grow();

  std::string where_;
  std::vector<std::string> texts_;
  std::vector<bool> known_;
  std::vector<std::int32_t> slots_;  ///< open addressing: ids, −1 for empty. A quarter million look-ups a load
  std::size_t count_ = 0;
};

/// Adds the merge `left right` with this rank; the joined token must exist. Throws Error(data).
void add_merge(Bpe& bpe, const Vocabulary& vocabulary, std::string_view left, std::string_view right,
               std::uint32_t rank);

/// Gives the pipeline's BPE its first symbols: bytes, or characters and (if `byte_fallback`) <0x00> … <0xFF>. Tokens
/// that `plain` (by id) excludes are markup and no symbols.
void set_symbols(Bpe& bpe, const Vocabulary& vocabulary, const std::vector<bool>& plain);

/// Fills token_bytes and known. `added` ids are literal; others are undone as encoding made them: byte characters,
/// fallback bytes, and `space_mark` (if any) that stands for a space.
void set_token_bytes(Pipeline& pipeline, const Vocabulary& vocabulary, std::string_view space_mark);

/// The same for WordPiece: a space before each token but those that begin with `mark`, which goes on inside a word.
void set_word_bytes(Pipeline& pipeline, const Vocabulary& vocabulary, std::string_view mark);

/// Special tokens of published models that end an answer wherever they appear.
bool is_end_of_turn(std::string_view text);

}  // namespace kvmend
