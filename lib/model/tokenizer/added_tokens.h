#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/tokenizer/aligned_text.h"

namespace kvmend {

/// A token that is found in the text itself, before anything else looks at it.
struct AddedToken {
  std::int32_t id = 0;
  std::string content;
  bool special = false;      ///< markup: skipped on demand, never made from plain text then
  bool single_word = false;  ///< only where no word character touches it
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< … and behind it
  bool normalized = false;   ///< looked for in the normalised text
};

/// Finds added tokens: at each place the longest that fits, left to right.
class AddedTokenFinder {
 public:
  /// `pattern` is what to look for: the content, normalised where the token says so. Empty patterns never match.
  void add(const AddedToken& token, std::string_view pattern);
  bool empty() const { return tokens_.empty(); }

  struct Section {
    TextRange range;
    std::int32_t id = -1;  ///< −1: text between tokens
  };
  /// The whole text in order. `special` false: special tokens are text.
  std::vector<Section> split(std::string_view text, bool special) const;

 private:
  struct Node {
    std::vector<std::pair<unsigned char, std::uint32_t>> children;
    std::int32_t token = -1;  ///< index into tokens_
  };
  std::uint32_t child(std::uint32_t node, unsigned char byte) const;
  /// Index of the longest token at `at` and its end; −1: none.
  std::pair<std::int32_t, std::size_t> longest(std::string_view text, std::size_t at) const;

  std::vector<Node> nodes_{Node{}};
  std::array<std::uint32_t, 256> first_{};  ///< node of each first byte; 0: no token begins so
  std::vector<AddedToken> tokens_;
};

}  // namespace kvmend
