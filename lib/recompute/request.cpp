#include "recompute/request.h"

#include "core/error.h"

namespace kvmend {
namespace {

void check_ids(const std::vector<std::int32_t>& ids, const char* where, int vocab_size) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= vocab_size) {
      fail(ErrorKind::usage, "{} token {} is {}, outside the model's vocabulary of {}", where, i, ids[i], vocab_size);
    }
  }
}

}  // namespace

void check_request(const Request& request, int vocab_size, int context_length, int max_new_tokens) {
  if (request.n_query() == 0) fail(ErrorKind::usage, "the request has no query: nothing follows its context");
  if (request.units.empty() != request.context_ids.empty())
    fail(ErrorKind::usage, "the request's units do not cover its context");
  int end = 0;
  for (std::size_t u = 0; u < request.units.size(); ++u) {
    const Unit& unit = request.units[u];
    if (unit.begin != end) {
      fail(ErrorKind::usage, "unit {} begins at token {}, the one before it ends at {}", u, unit.begin, end);
    }
    if (unit.size() <= 0) fail(ErrorKind::usage, "chunk {} is empty: leave it out or give it text", u);
    if (unit.kind == UnitKind::prefix && u > 0)
      fail(ErrorKind::usage, "unit {} is a prefix: only the first unit may be one", u);
    end = unit.end;
  }
  if (end != request.n_context())
    fail(ErrorKind::usage, "the units end at token {}, the context at {}", end, request.n_context());
  if (request.question_begin < 0 || request.question_begin >= request.question_end ||
      request.question_end > request.n_query()) {
    fail(ErrorKind::usage, "the question [{}, {}) is not inside the query of {} tokens", request.question_begin,
         request.question_end, request.n_query());
  }
  if (request.n_tokens() > context_length) {
    fail(ErrorKind::usage, "the prompt has {} tokens, the model was made for {}: shorten the context",
         request.n_tokens(), context_length);
  }
  if (std::int64_t{request.n_tokens()} + max_new_tokens - 1 > context_length) {
    fail(ErrorKind::usage,
         "the prompt has {} tokens and the answer may take {}, the model was made for {}: shorten the context or ask "
         "for "
         "fewer new tokens",
         request.n_tokens(), max_new_tokens, context_length);
  }
  check_ids(request.context_ids, "context", vocab_size);
  check_ids(request.query_ids, "query", vocab_size);
}

}  // namespace kvmend
