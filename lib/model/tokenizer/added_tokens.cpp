#include "model/tokenizer/added_tokens.h"

#include <algorithm>

#include "core/utf8.h"
#include "model/tokenizer/unicode.h"

namespace kvmend {
namespace {

bool touches_word(std::string_view text, TextRange match) {
  return (match.begin > 0 && unicode::is_word(utf8::last_before(text, match.begin))) ||
         (match.end < text.size() && unicode::is_word(utf8::decode_valid(text, match.end).code_point));
}

std::uint32_t white_space_before(std::string_view text, std::uint32_t at, std::uint32_t stop) {
  while (at > stop) {
    const char32_t c = utf8::last_before(text, at);
    if (!unicode::is_white_space(c)) break;
    at = static_cast<std::uint32_t>(utf8::floor_boundary(text, at - 1));
  }
  return at;
}

std::uint32_t white_space_behind(std::string_view text, std::uint32_t at) {
  while (at < text.size()) {
    const utf8::Decoded c = utf8::decode_valid(text, at);
    if (!unicode::is_white_space(c.code_point)) break;
    at += c.length;
  }
  return at;
}

}  // namespace

std::uint32_t AddedTokenFinder::child(std::uint32_t node, unsigned char byte) const {
  const auto& children = nodes_[node].children;
  const auto at = std::lower_bound(children.begin(), children.end(), std::pair<unsigned char, std::uint32_t>{byte, 0});
  return at != children.end() && at->first == byte ? at->second : 0;
}

void AddedTokenFinder::add(const AddedToken& token, std::string_view pattern) {
  if (pattern.empty()) return;
  std::uint32_t node = 0;
  for (const char c : pattern) {
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t next = child(node, byte);
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back();
      auto& children = nodes_[node].children;
      const std::pair<unsigned char, std::uint32_t> entry{byte, next};
      children.insert(std::lower_bound(children.begin(), children.end(), entry), entry);
      if (node == 0) first_[byte] = next;
    }
    node = next;
  }
  nodes_[node].token = static_cast<std::int32_t>(tokens_.size());
  tokens_.push_back(token);
}

std::pair<std::int32_t, std::size_t> AddedTokenFinder::longest(std::string_view text, std::size_t at) const {
  std::pair<std::int32_t, std::size_t> best{-1, at};
  std::uint32_t node = first_[static_cast<unsigned char>(text[at])];
  while (node != 0) {
    ++at;
    if (nodes_[node].token >= 0) best = {nodes_[node].token, at};
    if (at == text.size()) break;
    node = child(node, static_cast<unsigned char>(text[at]));
  }
  return best;
}

std::vector<AddedTokenFinder::Section> AddedTokenFinder::split(std::string_view text, bool special) const {
  std::vector<Section> sections;
  const auto size = static_cast<std::uint32_t>(text.size());
  std::uint32_t done = 0;
  for (std::size_t at = 0; at < text.size() && !tokens_.empty();) {
    const auto [index, end] = longest(text, at);
    if (index < 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[static_cast<std::size_t>(index)];
    TextRange match{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end)};
    at = end;
    if ((token.special && !special) || (token.single_word && touches_word(text, match))) continue;
    if (token.lstrip) match.begin = white_space_before(text, match.begin, done);
    if (token.rstrip) match.end = white_space_behind(text, match.end);
    match = {std::max(match.begin, done), std::max(match.end, done)};  // another one's rstrip may have come this far
    if (match.begin > done) sections.push_back({{done, match.begin}, -1});
    sections.push_back({match, token.id});
    done = match.end;
  }
  if (done < size) sections.push_back({{done, size}, -1});
  return sections;
}

}  // namespace kvmend
