#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/tokenizer/bpe.h"

namespace kvmend {

/// BERT's model of one word: the longest token that fits, again and again; tokens inside a word are those with "##".
/// A word that cannot be spelt out so is the unknown token as a whole. Set up by the loaders, then constant.
class WordPiece {
 public:
  std::int32_t unknown = -1;
  std::size_t most_characters = 100;  ///< longer words are unknown

  void add_start(std::string text, std::int32_t id) { starts_.add(std::move(text), id); }
  /// `text` without the mark of continuation.
  void add_inside(std::string text, std::int32_t id) { insides_.add(std::move(text), id); }

  /// Appends the tokens of `piece` (valid UTF-8).
  void encode(std::string_view piece, std::vector<BpeToken>& out) const;

 private:
  class Tokens {
   public:
    void add(std::string text, std::int32_t id);
    /// The longest token that `text` begins with; 0 bytes: none.
    BpeToken longest(std::string_view text) const;

   private:
    struct Hash {
      using is_transparent = void;
      std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> ids_;
    std::size_t longest_ = 0;  ///< bytes
  };

  Tokens starts_, insides_;
};

}  // namespace kvmend
