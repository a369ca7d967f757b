#pragma once
// From text to a request's tokens; prompts and requests in JSON share it.
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/tokenizer.h"
#include "recompute/request.h"

namespace kvmend {

/// One tokenisation of a whole prompt. BOS stands first where the tokenizer's convention or `keep_bos` wants it, once:
/// a BOS that the text itself begins with counts.
std::vector<Token> encode_whole(const std::string& text, const Tokenizer& tokenizer, bool keep_bos);

/// Puts a BOS in front of every unit that does not begin with one (STRATEGIES §0, sink keep_bos: released code sends them
/// so). The units' boundaries move along; returns how many were added.
int put_bos_before_units(std::int32_t bos, std::vector<Token>& tokens, std::vector<Unit>& units);

/// Tokens that begin before `offset`: a boundary inside a token moves to that token's end. A BOS that is not in the
/// text (its span is empty) is before everything.
int tokens_before(std::span<const Token> tokens, std::size_t offset);

/// Indices [first, second) of the tokens that overlap the bytes [begin, end).
std::pair<int, int> overlapping(std::span<const Token> tokens, std::size_t begin, std::size_t end);

/// Moves tokens and text into the request: the first `n_context` are its context, the others its query.
void take_tokens(Request& request, std::string text, std::span<const Token> tokens, int n_context);

/// Sets the question to the query's tokens that overlap the bytes [begin, end) of request.text; to the whole query
/// where none does, or the span is empty.
void mark_question(Request& request, const Tokenizer& tokenizer, std::size_t begin, std::size_t end);

/// Sets question_ids: the text of the question's tokens, without the white space around it, tokenised alone.
void tokenize_question(Request& request, const Tokenizer& tokenizer);

/// Text and byte spans of a request that came as ids: what its tokens decode to.
void decode_text(Request& request, const Tokenizer& tokenizer);

}  // namespace kvmend
