#include "datasets/sentences.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace kvmend {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

/// Bytes of the closing quote or bracket at `at`, 0 if there is none.
std::size_t closing_length(std::string_view text, std::size_t at) {
  static constexpr std::array<std::string_view, 10> marks = {"\"",     "'",      ")",      "]",      "}",
                                                             "\u201D", "\u2019", "\u00BB", "\u300D", "\uFF09"};
  for (const auto mark : marks) {
    if (text.substr(at).starts_with(mark)) return mark.size();
  }
  return 0;
}

/// Bytes of the sentence mark at `at`, 0 if there is none; `wide` marks need no space behind them.
std::size_t mark_length(std::string_view text, std::size_t at, bool& wide) {
  static constexpr std::array<std::string_view, 3> wide_marks = {"\u3002", "\uFF01", "\uFF1F"};
  wide = false;
  if (text[at] == '.' || text[at] == '!' || text[at] == '?') return 1;
  for (const auto mark : wide_marks) {
    if (text.substr(at).starts_with(mark)) {
      wide = true;
      return mark.size();
    }
  }
  return 0;
}

/// True if the full stop at `dot` belongs to the word before it.
bool is_abbreviation(std::string_view text, std::size_t dot) {
  static constexpr std::array<std::string_view, 22> known = {"mr",  "mrs", "ms",  "dr",   "prof", "st",    "sr", "jr",
                                                             "vs",  "no",  "vol", "fig",  "pp",   "cf",    "eg", "ie",
                                                             "e.g", "i.e", "gen", "capt", "col",  "approx"};
  std::size_t begin = dot;
  while (begin > 0 && (is_letter(text[begin - 1]) || is_digit(text[begin - 1]) || text[begin - 1] == '.')) --begin;
  std::string word(text.substr(begin, dot - begin));
  if (word.size() == 1 && std::isupper(static_cast<unsigned char>(word[0]))) return word != "I";
  const bool at_line_start = begin == 0 || text[begin - 1] == '\n';
  if (at_line_start && !word.empty() && std::all_of(word.begin(), word.end(), is_digit)) return true;
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  // "no" and "fig" are words, too: abbreviations only before a number.
  if (word == "no" || word == "fig") return dot + 2 < text.size() && text[dot + 1] == ' ' && is_digit(text[dot + 2]);
  return std::find(known.begin(), known.end(), word) != known.end();
}

}  // namespace

std::vector<std::size_t> sentence_ends(std::string_view text, bool lines) {
  std::vector<std::size_t> ends;
  bool pending = false;  // something other than white space since the last end
  for (std::size_t at = 0; at < text.size();) {
    if (lines && text[at] == '\n' && pending) {
      ends.push_back(at);
      pending = false;
    }
    pending = pending || !is_space(text[at]);
    bool wide = false;
    const std::size_t length = mark_length(text, at, wide);
    if (length == 0) {
      ++at;
      continue;
    }
    std::size_t end = at + length;
    bool more_wide = false;
    while (end < text.size()) {
      const std::size_t next = std::max(mark_length(text, end, more_wide), closing_length(text, end));
      if (next == 0) break;
      wide = wide || more_wide;
      end += next;
    }
    const bool free = wide || end == text.size() || is_space(text[end]);
    if (free && !(text[at] == '.' && end == at + 1 && is_abbreviation(text, at))) {
      ends.push_back(end);
      pending = false;
    }
    at = end;
  }
  if (pending) ends.push_back(text.size());
  return ends;
}

}  // namespace kvmend
