#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace kvmend {

enum class UnitKind : std::uint8_t { prefix, chunk };

/// Context tokens [begin, end) whose KV cache is made and reused as one piece.
struct Unit {
  UnitKind kind = UnitKind::chunk;
  int begin = 0, end = 0;
  int size() const { return end - begin; }
};

/// One prompt as selectors and the executor see it: prefix | chunk 1 … chunk n | query. std types only:
/// plugins see it.
struct Request {
  std::vector<std::int32_t> context_ids;  ///< [N]: prefix and chunks
  std::vector<std::int32_t> query_ids;    ///< [Q], Q ≥ 1
  std::vector<Unit> units;  ///< in order, covering [0, N) without gaps; none is empty; only unit 0 may be a prefix
  int question_begin = 0,
      question_end = 0;                    ///< the question within the query, in tokens; default the whole query
  std::vector<std::int32_t> question_ids;  ///< the question tokenised alone (InfoFlow); empty: its tokens in the query
  std::string text;                        ///< the prompt, empty when the request came as ids
  std::vector<std::uint32_t> token_begin, token_end;  ///< [N + Q] byte spans in `text`, empty when it is

  int n_context() const { return static_cast<int>(context_ids.size()); }
  int n_query() const { return static_cast<int>(query_ids.size()); }
  int n_tokens() const { return n_context() + n_query(); }
  bool has_prefix() const { return !units.empty() && units.front().kind == UnitKind::prefix; }
};

/// Throws Error(usage) naming the first thing that is wrong (an empty chunk, a gap, no query, an id ≥ vocab, …). An answer of
/// `max_new_tokens` must fit the `context_length` too: there are no positions behind it. The last token of an answer is
/// never fed back and needs none.
void check_request(const Request& request, int vocab_size, int context_length, int max_new_tokens = 1);

}  // namespace kvmend
