#pragma once
// Text of tokens with some of them marked, for a terminal.
#include <string>
#include <string_view>
#include <vector>

#include "experiment/selection/token_table.h"

namespace kvmend {

/// How a token is drawn. `heat` 0 to 5: how high it scores among the context's tokens.
struct TokenMark {
  bool selected = false, evidence = false, dropped = false;
  int heat = 0;
  friend bool operator==(const TokenMark&, const TokenMark&) = default;
};

/// A mark a context token: `selected`, `kept` (null: all) and `evidence` as the store has them; heat by the scores' rank
/// (top 2, 5, 10, 20, 40 %) where there are scores.
std::vector<TokenMark> token_marks(int n_context, const std::vector<int>& selected, const std::vector<int>* kept,
                                   const std::vector<std::pair<int, int>>& evidence, const std::vector<float>& scores);

/// Tokens [begin, end) of `text`. With `color`: selected ones on amber, others shaded by heat, evidence underlined,
/// dropped ones struck out. Without: ⟦selected⟧ alone is marked. A mark never splits a character (it moves to its end);
/// control characters but line breaks and tabs are shown as ␀ … ␟, so that a text cannot drive the terminal.
std::string paint_tokens(std::string_view text, const TokenTable& tokens, int begin, int end,
                         const std::vector<TokenMark>& marks, bool color);

/// What the marks mean, one line.
std::string paint_legend(bool color, bool scores);

/// A character of eight heights for a share of 0 to 1; a blank for 0.
std::string_view bar_of(double share);

/// Text on one line, at most `width` characters: line breaks as spaces, control characters as in paint_tokens.
std::string one_line(std::string_view text, std::size_t width);

}  // namespace kvmend
