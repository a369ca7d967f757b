#include "datasets/prompt.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "datasets/encode.h"

namespace kvmend {
namespace {

/// The prompt's text and where its parts meet, in bytes.
struct Layout {
  std::string text;
  std::size_t context_begin = 0, query_begin = 0, answer_begin = 0;
};

Layout lay_out(const TaskSample& sample, const PromptOptions& options) {
  const ChatFrame frame = sample.raw ? ChatFrame{} : options.chat->frame(options.system);
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
    ends.push_back(utf8::ceil_boundary(layout.text, whole[static_cast<std::size_t>(unit.end) - 1].end));
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

void mark_evidence(Prompt& prompt, std::span<const Token> tokens) {
  const auto context = tokens.first(prompt.request.context_ids.size());
  for (const ByteSpan& span : prompt.sample.evidence) {
    const auto range = overlapping(context, prompt.context_begin + span.begin, prompt.context_begin + span.end);
    prompt.evidence.push_back(range);
    const auto& units = prompt.request.units;
    prompt.evidence_cut.push_back(std::any_of(units.begin(), units.end(), [&](const Unit& unit) {
      return range.first < unit.begin && unit.begin < range.second;
    }));
  }
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
  out.tokens = encode_whole(layout.text, *options.tokenizer, options.keep_bos);
  out.n_context = cut_units(layout, sample, out.tokens, *options.chunker, out.units);
  if (options.tokenize == TokenizeMode::units) {
    out.tokens = encode_units(layout, options, out.tokens, out.units, out.n_context);
  }
  const int bos = options.tokenizer->bos();
  if (options.keep_bos && bos >= 0) out.n_context += put_bos_before_units(bos, out.tokens, out.units);
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
  take_tokens(prompt.request, std::move(layout.text), made.tokens, made.n_context);
  const ByteSpan& question = prompt.sample.question;
  mark_question(prompt.request, *options.tokenizer, layout.query_begin + question.begin,
                layout.query_begin + question.end);
  prompt.context_begin = layout.context_begin;
  prompt.query_begin = layout.query_begin;
  prompt.answer_begin = layout.answer_begin;
  mark_evidence(prompt, made.tokens);
  prompt.hash = prompt_hash(prompt.request);
  return prompt;
}

int count_prompt_tokens(const TaskSample& sample, const PromptOptions& options) {
  const Layout layout = lay_out(sample, options);
  if (options.tokenize == TokenizeMode::whole)
    return static_cast<int>(encode_whole(layout.text, *options.tokenizer, options.keep_bos).size());
  return static_cast<int>(tokenize(layout, sample, options).tokens.size());
}

}  // namespace kvmend
