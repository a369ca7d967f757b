#include "datasets/encode.h"

#include <algorithm>

namespace kvmend {

std::vector<Token> encode_whole(const std::string& text, const Tokenizer& tokenizer, bool keep_bos) {
  const int bos = tokenizer.bos();
  bool written = false;
  if (bos >= 0) {
    const std::int32_t id = bos;
    const std::string bos_text = tokenizer.decode(std::span(&id, 1));
    written = !bos_text.empty() && text.starts_with(bos_text);
  }
  std::vector<Token> tokens = tokenizer.encode(text, {.special = true, .add_bos = !written});
  if (keep_bos && bos >= 0 && (tokens.empty() || tokens.front().id != bos)) {
    tokens.insert(tokens.begin(), Token{bos, 0, 0});
  }
  return tokens;
}

int put_bos_before_units(std::int32_t bos, std::vector<Token>& tokens, std::vector<Unit>& units) {
  std::vector<Token> with_bos;
  int added = 0;
  std::ptrdiff_t at = 0;
  for (Unit& unit : units) {
    const auto first = tokens.begin() + unit.begin, last = tokens.begin() + unit.end;
    unit.begin += added;
    if (first->id != bos) {
      with_bos.push_back({bos, first->begin, first->begin});
      ++added;
    }
    with_bos.insert(with_bos.end(), first, last);
    unit.end += added;
    at = last - tokens.begin();
  }
  with_bos.insert(with_bos.end(), tokens.begin() + at, tokens.end());
  tokens = std::move(with_bos);
  return added;
}

int tokens_before(std::span<const Token> tokens, std::size_t offset) {
  const auto end = std::partition_point(tokens.begin(), tokens.end(),
                                        [&](const Token& token) { return token.begin < offset || token.end == 0; });
  return static_cast<int>(end - tokens.begin());
}

std::pair<int, int> overlapping(std::span<const Token> tokens, std::size_t begin, std::size_t end) {
  const auto first = std::partition_point(tokens.begin(), tokens.end(), [&](const Token& t) { return t.end <= begin; });
  const auto last = std::partition_point(first, tokens.end(), [&](const Token& t) { return t.begin < end; });
  return {static_cast<int>(first - tokens.begin()), static_cast<int>(last - tokens.begin())};
}

void take_tokens(Request& request, std::string text, std::span<const Token> tokens, int n_context) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    (static_cast<int>(i) < n_context ? request.context_ids : request.query_ids).push_back(tokens[i].id);
    request.token_begin.push_back(tokens[i].begin);
    request.token_end.push_back(tokens[i].end);
  }
  request.text = std::move(text);
}

void mark_question(Request& request, const Tokenizer& tokenizer, std::size_t begin, std::size_t end) {
  request.question_begin = 0;
  request.question_end = request.n_query();
  if (begin >= end) return;
  std::vector<Token> query;
  for (int i = request.n_context(); i < request.n_tokens(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    query.push_back({0, request.token_begin[at], request.token_end[at]});
  }
  const auto [first, last] = overlapping(query, begin, end);
  if (first < last) {
    request.question_begin = first;
    request.question_end = last;
    tokenize_question(request, tokenizer);
  }
}

void tokenize_question(Request& request, const Tokenizer& tokenizer) {
  const auto at = [&](int i) { return static_cast<std::size_t>(request.n_context() + i); };
  const std::size_t begin = request.token_begin[at(request.question_begin)];
  std::string_view text = std::string_view(request.text).substr(begin);
  text = text.substr(0, request.token_end[at(request.question_end - 1)] - begin);
  constexpr std::string_view space = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
  text = text.substr(0, text.find_last_not_of(space) + 1);
  request.question_ids = tokenizer.ids(text);
}

void decode_text(Request& request, const Tokenizer& tokenizer) {
  for (const auto* ids : {&request.context_ids, &request.query_ids}) {
    for (const std::int32_t id : *ids) {
      request.token_begin.push_back(static_cast<std::uint32_t>(request.text.size()));
      request.text += tokenizer.decode(std::span(&id, 1));
      request.token_end.push_back(static_cast<std::uint32_t>(request.text.size()));
    }
  }
}

}  // namespace kvmend
