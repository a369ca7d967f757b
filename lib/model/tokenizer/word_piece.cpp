#include "model/tokenizer/word_piece.h"

#include <algorithm>

#include "core/utf8.h"

namespace kvmend {

void WordPiece::Tokens::add(std::string text, std::int32_t id) {
  longest_ = std::max(longest_, text.size());
  ids_.emplace(std::move(text), id);
}

BpeToken WordPiece::Tokens::longest(std::string_view text) const {
  for (std::size_t size = std::min(text.size(), longest_); size > 0; --size) {
    if (size < text.size() && utf8::continues(text[size])) continue;
    const auto found = ids_.find(text.substr(0, size));
    if (found != ids_.end()) return {found->second, static_cast<std::uint32_t>(size)};
  }
  return {};
}

void WordPiece::encode(std::string_view piece, std::vector<BpeToken>& out) const {
  if (piece.empty()) return;
  const BpeToken whole{unknown, static_cast<std::uint32_t>(piece.size())};
  if (utf8::count(piece) > most_characters) {
    out.push_back(whole);
    return;
  }
  const std::size_t first = out.size();
  for (std::size_t at = 0; at < piece.size();) {
    const BpeToken token = (at == 0 ? starts_ : insides_).longest(piece.substr(at));
    if (token.bytes == 0) {
      out.resize(first);
      out.push_back(whole);
      return;
    }
    out.push_back(token);
    at += token.bytes;
  }
}

}  // namespace kvmend
