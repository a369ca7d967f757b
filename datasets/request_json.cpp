#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"
#include "core/suggest.h"
#include "core/utf8.h"
#include "datasets/encode.h"
#include "datasets/json_value.h"
#include "datasets/sample_json.h"

namespace kvmend {
namespace {

const std::vector<std::string> text_fields = {"prefix", "chunks", "query", "question"};
const std::vector<std::string> id_fields = {"prefix_ids", "chunk_ids", "query_ids", "question_tokens"};

[[noreturn]] void refuse(const Value& at, const std::string& text) {
  fail(ErrorKind::data, "{}{}", at.where.prefix(), text);
}

const Value& needed(const Value& request, const char* name) {
  const Value* value = request.find(name);
  if (!value) refuse(request, fmt::format("the request has no '{}'", name));
  return *value;
}

/// The span [begin, end) of a question, in bytes or tokens, 0 ≤ begin < end ≤ size.
std::pair<int, int> read_span(const Value& value, std::size_t size, const char* unit) {
  const Value::List& ends = value.as_list();
  if (ends.size() != 2) refuse(value, fmt::format("a question is [begin, end], found {}", value.flow()));
  const std::int64_t begin = ends[0].as_int(), end = ends[1].as_int();
  if (begin < 0 || begin >= end || end > static_cast<std::int64_t>(size)) {
    refuse(value, fmt::format("the question [{}, {}) is not inside the query of {} {}", begin, end, size, unit));
  }
  return {static_cast<int>(begin), static_cast<int>(end)};
}

std::vector<std::int32_t> read_ids(const Value& value, const Tokenizer& tokenizer) {
  std::vector<std::int32_t> out;
  for (const Value& item : value.as_list()) {
    const std::int64_t id = item.as_int();
    if (id < 0 || id >= tokenizer.vocab_size()) {
      refuse(item, fmt::format("token {} is outside the vocabulary of {}", id, tokenizer.vocab_size()));
    }
    out.push_back(static_cast<std::int32_t>(id));
  }
  return out;
}

void add_unit(Request& request, UnitKind kind, const std::vector<std::int32_t>& ids) {
  const int begin = request.n_context();
  request.context_ids.insert(request.context_ids.end(), ids.begin(), ids.end());
  request.units.push_back({kind, begin, request.n_context()});
}

Request from_ids(const Value& source, const Tokenizer& tokenizer) {
  Request out;
  if (const Value* prefix = source.find("prefix_ids"); prefix && !prefix->as_list().empty()) {
    add_unit(out, UnitKind::prefix, read_ids(*prefix, tokenizer));
  }
  for (const Value& chunk : needed(source, "chunk_ids").as_list()) {
    const auto ids = read_ids(chunk, tokenizer);
    if (ids.empty()) refuse(chunk, "an empty chunk: leave it out or give it tokens");
    add_unit(out, UnitKind::chunk, ids);
  }
  const Value& query = needed(source, "query_ids");
  out.query_ids = read_ids(query, tokenizer);
  if (out.query_ids.empty()) refuse(query, "query_ids is empty: a request needs a query");
  out.question_end = out.n_query();
  if (const Value* question = source.find("question_tokens"); question && !question->is_null()) {
    std::tie(out.question_begin, out.question_end) = read_span(*question, out.query_ids.size(), "tokens");
  }
  decode_text(out, tokenizer);
  if (out.question_end - out.question_begin < out.n_query()) tokenize_question(out, tokenizer);
  return out;
}

/// A request's parts as text, whichever of the two forms they came in.
struct TextParts {
  std::string prefix;
  std::vector<std::string> chunks;
  std::vector<Location> chunk_places;
  std::string query;               ///< the answer prefix included
  std::size_t question_limit = 0;  ///< bytes of it that the question may lie in
};

void add_chunk(TextParts& parts, const Value& text) {
  if (text.as_string().empty()) refuse(text, "an empty chunk: leave it out or give it text");
  parts.chunks.push_back(text.as_string());
  parts.chunk_places.push_back(text.where);
}

TextParts read_parts(const Value& source) {
  TextParts out;
  if (const Value* units = source.find("units")) {
    for (const Value& unit : units->as_list()) {
      const std::string& kind = needed(unit, "kind").as_string();
      const Value& text = needed(unit, "text");
      if (kind == "prefix" && out.prefix.empty() && out.chunks.empty()) {
        out.prefix = text.as_string();
      } else if (kind == "chunk") {
        add_chunk(out, text);
      } else {
        refuse(unit, fmt::format("a unit of kind '{}': the first may be a prefix, all others are chunks", kind));
      }
    }
  } else {
    if (const Value* prefix = source.find("prefix"); prefix && !prefix->is_null()) out.prefix = prefix->as_string();
    for (const Value& chunk : needed(source, "chunks").as_list()) add_chunk(out, chunk);
  }
  const Value& query = needed(source, "query");
  out.query = query.as_string();
  out.question_limit = out.query.size();
  if (const Value* answer = source.find("answer_prefix")) out.query += answer->as_string();
  if (out.query.empty()) refuse(query, "query is empty: a request needs a query");
  return out;
}

Request from_text(const Value& source, const Tokenizer& tokenizer, const RequestOptions& options) {
  const TextParts parts = read_parts(source);
  std::string text = parts.prefix;
  std::vector<std::size_t> ends;
  for (const auto& chunk : parts.chunks) ends.push_back((text += chunk).size());
  const std::size_t query_begin = text.size();
  text += parts.query;

  auto tokens = encode_whole(text, tokenizer, options.keep_bos);
  Request out;
  int begin = tokens_before(tokens, parts.prefix.size());
  if (begin > 0) out.units.push_back({UnitKind::prefix, 0, begin});
  for (std::size_t c = 0; c < ends.size(); ++c) {
    const int end = tokens_before(tokens, ends[c]);
    if (end <= begin) {
      fail(ErrorKind::data, "{}chunk {} has no token of its own: it lies inside a token of its neighbour",
           parts.chunk_places[c].prefix(), c);
    }
    out.units.push_back({UnitKind::chunk, begin, end});
    begin = end;
  }
  if (options.keep_bos && tokenizer.bos() >= 0) begin += put_bos_before_units(tokenizer.bos(), tokens, out.units);
  take_tokens(out, text, tokens, begin);
  if (out.n_query() == 0)
    refuse(source, "the query has no token of its own: it lies inside the last chunk's last token");
  out.question_end = out.n_query();
  if (const Value* question = source.find("question"); question && !question->is_null()) {
    const auto [from, to] = read_span(*question, parts.question_limit, "bytes");
    mark_question(out, tokenizer, query_begin + static_cast<std::size_t>(from),
                  query_begin + static_cast<std::size_t>(to));
  }
  return out;
}

/// Fields of a plain request that nobody reads are mistakes; a sample's line has more of its own.
void check_fields(const Value& source, const std::vector<std::string>& known) {
  for (const auto& entry : source.as_map()) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    fail(ErrorKind::data, "{}unknown field '{}'{}", entry.where.prefix(), entry.key, did_you_mean(entry.key, known));
  }
}

Request convert(const Value& source, const Tokenizer& tokenizer, const RequestOptions& options) {
  if (!source.is_map()) refuse(source, fmt::format("a request is a map, found {}", source.type_name()));
  if (source.find("units")) {
    const Value* made_by = source.find("tokenizer");
    const bool same = made_by && made_by->is_string() && made_by->as_string() == tokenizer.fingerprint();
    return same && source.find("query_ids") ? from_ids(source, tokenizer) : from_text(source, tokenizer, options);
  }
  const bool ids = std::any_of(id_fields.begin(), id_fields.end(), [&](const auto& name) { return source.find(name); });
  const bool text =
      std::any_of(text_fields.begin(), text_fields.end(), [&](const auto& name) { return source.find(name); });
  if (ids && text) refuse(source, "a request is text or ids, not both");
  check_fields(source, ids ? id_fields : text_fields);
  return ids ? from_ids(source, tokenizer) : from_text(source, tokenizer, options);
}

/// Where each unit's text ends in request.text: as it was written, or, where ids decode to something else (a BOS, a space
/// that the tokenizer adds), behind the unit's last token.
std::vector<std::size_t> unit_ends(const std::vector<std::string>& texts, const Request& request) {
  std::vector<std::size_t> ends;
  std::string joined;
  for (const std::string& text : texts) ends.push_back((joined += text).size());
  if (request.text.starts_with(joined) || request.units.size() != texts.size()) return ends;
  ends.clear();
  for (const Unit& unit : request.units) {
    ends.push_back(utf8::ceil_boundary(request.text, request.token_end[static_cast<std::size_t>(unit.end) - 1]));
  }
  return ends;
}

std::vector<std::pair<int, int>> evidence_of(const Value& source, const Request& request) {
  const Value *list = source.find("evidence"), *units = source.find("units");
  std::vector<std::pair<int, int>> out;
  if (!list || list->is_null() || !units) return out;
  std::vector<std::string> texts;
  for (const Value& unit : units->as_list()) texts.push_back(needed(unit, "text").as_string());
  const std::vector<std::size_t> ends = unit_ends(texts, request);
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < request.context_ids.size(); ++i) {
    tokens.push_back({request.context_ids[i], request.token_begin[i], request.token_end[i]});
  }
  for (const Value& span : list->as_list()) {
    const std::int64_t unit = needed(span, "unit").as_int();
    if (unit < 0 || unit >= static_cast<std::int64_t>(texts.size()))
      refuse(span, fmt::format("evidence in unit {} of {}", unit, texts.size()));
    const auto at = static_cast<std::size_t>(unit);
    const std::int64_t begin = needed(span, "begin").as_int(), end = needed(span, "end").as_int();
    const auto size = static_cast<std::int64_t>(texts[at].size()), base = static_cast<std::int64_t>(ends[at]) - size;
    if (begin < 0 || begin >= end || end > size)
      refuse(span, fmt::format("the evidence [{}, {}) is not inside unit {} of {} bytes", begin, end, unit, size));
    const auto byte = [&](std::int64_t offset) {
      return static_cast<std::size_t>(std::max<std::int64_t>(0, base + offset));
    };
    const auto range = overlapping(tokens, byte(begin), byte(end));
    if (range.first < range.second) out.push_back(range);
  }
  return out;
}

}  // namespace

std::vector<std::pair<int, int>> read_evidence(std::string_view json, const std::string& name, const Request& request) {
  try {
    return evidence_of(parse_json(json, name), request);
  } catch (const Error& error) {
    throw Error(ErrorKind::data, error.what());
  }
}

Request read_request(std::string_view json, const std::string& name, const Tokenizer& tokenizer,
                     const RequestOptions& options) {
  const Value source = parse_json(json, name);
  try {
    return convert(source, tokenizer, options);
  } catch (const Error& error) {
    // A value's own complaint about its type is a usage error; here it is the file that is wrong.
    throw Error(ErrorKind::data, error.what());
  }
}

}  // namespace kvmend
