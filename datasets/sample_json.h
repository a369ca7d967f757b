#pragma once
// Prompts as JSON: what `kvmend sample` prints and `kvmend select --request` reads.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/value.h"
#include "datasets/prompt.h"

namespace kvmend {

/// One line (no line break at its end):
///   id, units: [{kind, text, tokens}], query, question: [begin, end], answer_prefix, references, all_classes,
///   evidence: [{unit, begin, end, cut}], stop, max_new_tokens, metric, cluster,
///   n_context, n_query, hash, tokenizer, prefix_ids, chunk_ids, query_ids, question_tokens: [begin, end] within query_ids.
/// The units' texts, `query` and `answer_prefix` joined are the prompt as it is sent, chat format included; byte spans
/// are within their text. A text that would begin inside a character begins behind it (the ids are exact).
/// `tokenizer` is its fingerprint: the ids mean something with that tokenizer only.
std::string sample_json(const Prompt& prompt, const Tokenizer& tokenizer);

/// How a request's text becomes tokens.
struct RequestOptions {
  bool keep_bos = false;  ///< BOS begins every unit, also where the tokenizer adds none
};

/// Reads {prefix, chunks, query, question} or {prefix_ids, chunk_ids, query_ids, question_tokens}, or a line of
/// sample_json (its ids if they are of this tokenizer, else its text). Text is tokenised once as a whole; a boundary
/// inside a token moves to that token's end. `prefix` and `question` may be missing.
/// Throws Error(data) "NAME:line:column: …" for what is no request: no JSON, missing or unknown fields, wrong types, an
/// empty chunk, a question outside the query, a chunk that is swallowed by its neighbours' tokens.
Request read_request(std::string_view json, const std::string& name, const Tokenizer& tokenizer,
                     const RequestOptions& options = {});

/// Context token ranges of the evidence that a line of sample_json names; empty where `json` names none. `request`: what
/// read_request made of it. Throws Error(data) as that does.
std::vector<std::pair<int, int>> read_evidence(std::string_view json, const std::string& name, const Request& request);

}  // namespace kvmend
