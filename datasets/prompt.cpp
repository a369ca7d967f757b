#include "datasets/prompt.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "core/utf8.h"

namespace kvmend {
namespace {

/// The prompt's text and where its parts meet, in bytes.
struct Layout {
  std::string text;
  std::size_t context_begin = 0, query_begin = 0, answer_begin = 0;
};

Layout lay_out(const TaskSample& sample, const PromptOptions& options) {
  const ChatFrame frame = options.chat->frame(options.system);
  std::string_view answer = sample.answer_prefix;
  const bool header = !frame.tail.empty();
  if (header && !options.keep_answer_space && answer.starts_with(' ')) answer.remove_prefix(1);
  Layout out;
  out.text.reserve(frame.head.size() + sample.prefix.size() + sample.context.size() + sample.query.size() + 256);
  out.text += frame.head;
  out.text += sample.prefix;
  out.context_begin = out.text.size();
  out.text += sample.context;
  out.query_begin = out.text.size();
  out.text += sample.query;
  out.text += frame.tail;
  out.answer_begin = out.text.size();
  out.text += answer;
  return out;
}

/// One tokenisation of the whole prompt. BOS stands first where the tokenizer's convention or keep_bos wants it, once.
std::vector<Token> encode_prompt(const std::string& text, const PromptOptions& options) {
  const Tokenizer& tokenizer = *options.tokenizer;
  const int bos = tokenizer.bos();
  bool written = false;
  if (bos >= 0) {
    const std::int32_t id = bos;
    const std::string bos_text = tokenizer.decode(std::span(&id, 1));
    written = !bos_text.empty() && text.starts_with(bos_text);
  }
  std::vector<Token> tokens = tokenizer.encode(text, {.special = true, .add_bos = !written});
  if (options.keep_bos && bos >= 0 && (tokens.empty() || tokens.front().id != bos)) {
    tokens.insert(tokens.begin(), Token{bos, 0, 0});
  }
  return tokens;
}

/// Tokens that begin before `offset`: a boundary inside a token moves to that token's end. A BOS that is not in the
/// text (its span is empty) is before everything.
int tokens_before(std::span<const Token> tokens, std::size_t offset) {
  const auto end = std::partition_point(tokens.begin(), tokens.end(), [&](const Token& token) {
    return token.begin < offset || (token.begin == token.end && token.end == 0);
  });
  return static_cast<int>(end - tokens.begin());
}

/// Units of one tokenisation: the prefix, then the chunker's cuts. Returns the number of context tokens.
int cut_units(const Layout& layout, const TaskSample& sample, std::span<const Token> tokens, const Chunker& chunker,
              std::vector<Unit>& units) {
  const int prefix = tokens_before(tokens, layout.context_begin);
  const int n_context = sample.context.empty() ? prefix : std::max(prefix, tokens_before(tokens, layout.query_begin));
  if (prefix > 0) units.push_back({UnitKind::prefix, 0, prefix});
  std::vector<std::size_t> passages = sample.passages;
  for (auto& offset : passages) offset += layout.context_begin;
  const auto context = tokens.subspan(static_cast<std::size_t>(prefix), static_cast<std::size_t>(n_context - prefix));
  int begin = prefix;
  for (const int end : chunker.cut(layout.text, context, passages)) {
    units.push_back({UnitKind::chunk, begin, prefix + end});
    begin = prefix + end;
  }
  require(begin == n_context, "chunker {} ends at token {} of {}", chunker.canonical().flow(), begin, n_context);
  return n_context;
}

/// `tokenize: units`: the bytes of each unit and of the query are encoded alone, as a retriever's cache holds them.
/// Boundaries inside a character move to its end.
std::vector<Token> encode_units(const Layout& layout, const PromptOptions& options, std::span<const Token> whole,
                                std::vector<Unit>& units, int& n_context) {
  std::vector<std::size_t> ends;
  for (const Unit& unit : units) {
    std::size_t end = whole[static_cast<std::size_t>(unit.end) - 1].end;
    while (!is_char_boundary(layout.text, end)) ++end;
    ends.push_back(end);
  }
  std::vector<Token> tokens;
  std::vector<Unit> kept;
  const bool free_bos = !whole.empty() && whole.front().id == options.tokenizer->bos() && whole.front().end == 0;
  if (free_bos) tokens.push_back(whole.front());
  std::size_t at = 0;
  const auto encode_until = [&](std::size_t end) {
    const auto part = options.tokenizer->encode(std::string_view(layout.text).substr(at, end - at));
    for (Token token : part) {
      token.begin += static_cast<std::uint32_t>(at);
      token.end += static_cast<std::uint32_t>(at);
      tokens.push_back(token);
    }
    at = end;
  };
  int begin = 0;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (ends[i] > at) encode_until(ends[i]);
    const int end = static_cast<int>(tokens.size());
    if (end > begin) kept.push_back({units[i].kind, begin, end});
    begin = end;
  }
  n_context = begin;
  if (at < layout.text.size()) encode_until(layout.text.size());
  units = std::move(kept);
  return tokens;
}

/// Tokens of [begin, end) that overlap the byte span.
std::pair<int, int> overlap(std::span<const Token> tokens, std::size_t begin, std::size_t end) {
  const auto first = std::partition_point(tokens.begin(), tokens.end(), [&](const Token& t) { return t.end <= begin; });
  const auto last = std::partition_point(first, tokens.end(), [&](const Token& t) { return t.begin < end; });
  return {static_cast<int>(first - tokens.begin()), static_cast<int>(last - tokens.begin())};
}

void mark_question(Request& request, const TaskSample& sample, const Layout& layout, std::span<const Token> tokens) {
  request.question_begin = 0;
  request.question_end = request.n_query();
  if (sample.question.begin >= sample.question.end) return;
  const auto query = tokens.subspan(request.context_ids.size());
  const auto [begin, end] =
      overlap(query, layout.query_begin + sample.question.begin, layout.query_begin + sample.question.end);
  if (begin < end) {
    request.question_begin = begin;
    request.question_end = end;
  }
}

void mark_evidence(Prompt& prompt, const Layout& layout, std::span<const Token> tokens) {
  const auto context = tokens.first(prompt.request.context_ids.size());
  for (const ByteSpan& span : prompt.sample.evidence) {
    const auto range = overlap(context, layout.context_begin + span.begin, layout.context_begin + span.end);
    prompt.evidence.push_back(range);
    const auto& units = prompt.request.units;
    prompt.evidence_cut.push_back(std::any_of(units.begin(), units.end(), [&](const Unit& unit) {
      return range.first < unit.begin && unit.begin < range.second;
    }));
  }
}

void fill_request(Request& request, Layout& layout, std::span<const Token> tokens, int n_context) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    (static_cast<int>(i) < n_context ? request.context_ids : request.query_ids).push_back(tokens[i].id);
    request.token_begin.push_back(tokens[i].begin);
    request.token_end.push_back(tokens[i].end);
  }
  request.text = std::move(layout.text);
}

void check_sample(const TaskSample& sample) {
  const auto check = [&](const ByteSpan& span, const std::string& text, const char* what) {
    require(span.begin <= span.end && span.end <= text.size(), "sample {}: {} [{}, {}) lies outside {} bytes",
            sample.id, what, span.begin, span.end, text.size());
  };
  check(sample.question, sample.query, "question");
  for (const ByteSpan& span : sample.evidence) check(span, sample.context, "evidence");
}

/// Tokens, units and the number of context tokens, whichever way the prompt is tokenised.
struct Tokenized {
  std::vector<Token> tokens;
  std::vector<Unit> units;
  int n_context = 0;
};

Tokenized tokenize(const Layout& layout, const TaskSample& sample, const PromptOptions& options) {
  Tokenized out;
  out.tokens = encode_prompt(layout.text, options);
  out.n_context = cut_units(layout, sample, out.tokens, *options.chunker, out.units);
  if (options.tokenize == TokenizeMode::units) {
    out.tokens = encode_units(layout, options, out.tokens, out.units, out.n_context);
  }
  return out;
}

}  // namespace

std::string prompt_hash(const Request& request) {
  std::string bytes;
  const auto append = [&](std::int32_t value) {
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(static_cast<std::uint32_t>(value) >> shift);
  };
  append(static_cast<std::int32_t>(request.units.size()));
  for (const Unit& unit : request.units) {
    append(unit.kind == UnitKind::prefix ? 0 : 1);
    append(unit.end);
  }
  for (const auto id : request.context_ids) append(id);
  for (const auto id : request.query_ids) append(id);
  return sha256(bytes);
}

Prompt build_prompt(TaskSample sample, const PromptOptions& options) {
  check_sample(sample);
  Layout layout = lay_out(sample, options);
  const Tokenized made = tokenize(layout, sample, options);
  if (static_cast<int>(made.tokens.size()) == made.n_context) {
    fail(ErrorKind::usage, "sample {}: nothing follows the context; a prompt needs a query", sample.id);
  }
  Prompt prompt;
  prompt.sample = std::move(sample);
  prompt.request.units = made.units;
  const Layout offsets{"", layout.context_begin, layout.query_begin, layout.answer_begin};
  fill_request(prompt.request, layout, made.tokens, made.n_context);
  mark_question(prompt.request, prompt.sample, offsets, made.tokens);
  mark_evidence(prompt, offsets, made.tokens);
  prompt.answer_begin = offsets.answer_begin;
  prompt.hash = prompt_hash(prompt.request);
  return prompt;
}

int count_prompt_tokens(const TaskSample& sample, const PromptOptions& options) {
  const Layout layout = lay_out(sample, options);
  if (options.tokenize == TokenizeMode::whole) return static_cast<int>(encode_prompt(layout.text, options).size());
  return static_cast<int>(tokenize(layout, sample, options).tokens.size());
}

}  // namespace kvmend
