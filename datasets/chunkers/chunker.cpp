#include "datasets/chunker.h"

#include <limits>

#include "core/error.h"
#include "core/suggest.h"
#include "datasets/chunkers/builders.h"

namespace kvmend {
namespace {

struct Kind {
  const char* name;
  const char* summary;
  int default_tokens;  ///< 0: takes no size
  std::unique_ptr<Chunker> (*make)(int tokens);
};

constexpr Kind kinds[] = {
    {"fixed", "a fixed number of tokens a chunk", 512, make_fixed_chunker},
    {"sentence", "a number of tokens, extended to the next sentence end", 512, make_sentence_chunker},
    {"passage", "the benchmark's own documents", 0, [](int) { return make_passage_chunker(); }},
    {"paragraph", "text between blank lines", 0, [](int) { return make_paragraph_chunker(); }},
};

const Kind& find_kind(const std::string& name, const Location& where) {
  std::vector<std::string> known;
  for (const Kind& kind : kinds) {
    if (name == kind.name) return kind;
    known.emplace_back(kind.name);
  }
  fail(ErrorKind::usage, "{}unknown chunker '{}'{}", where.prefix(), name, did_you_mean(name, known));
}

int size_of(const Kind& kind, const Value& size) {
  if (size.is_null()) return kind.default_tokens;
  if (kind.default_tokens == 0) {
    fail(ErrorKind::usage, "{}chunker {} takes no size, found {}", size.where.prefix(), kind.name, size.flow());
  }
  const std::int64_t tokens = size.as_int();
  if (tokens < 1 || tokens > std::numeric_limits<int>::max()) {
    fail(ErrorKind::usage, "{}chunker {}: {} tokens, must be at least 1", size.where.prefix(), kind.name, tokens);
  }
  return static_cast<int>(tokens);
}

}  // namespace

std::vector<int> ends_at_offsets(std::span<const Token> tokens, std::span<const std::size_t> offsets) {
  std::vector<int> ends;
  const int n = static_cast<int>(tokens.size());
  int at = 0;
  for (const std::size_t offset : offsets) {
    while (at < n && tokens[static_cast<std::size_t>(at)].begin < offset) ++at;
    if (at > 0 && at < n && (ends.empty() || ends.back() < at)) ends.push_back(at);
  }
  if (n > 0) ends.push_back(n);
  return ends;
}

std::unique_ptr<Chunker> make_chunker(const Value& spec) {
  if (spec.is_string()) {
    const Kind& kind = find_kind(spec.as_string(), spec.where);
    return kind.make(kind.default_tokens);
  }
  if (!spec.is_map() || spec.as_map().size() != 1) {
    fail(ErrorKind::usage, "{}a chunker is a name or one 'name: tokens', such as {{fixed: 256}}; found {}",
         spec.where.prefix(), spec.flow());
  }
  const auto& entry = spec.as_map().front();
  const Kind& kind = find_kind(entry.key, entry.where);
  return kind.make(size_of(kind, entry.value));
}

std::vector<ChunkerInfo> list_chunkers() {
  std::vector<ChunkerInfo> out;
  for (const Kind& kind : kinds) {
    ChunkerInfo info{kind.name, kind.summary, {}};
    if (kind.default_tokens > 0) {
      info.params.push_back({kind.name, "int", std::to_string(kind.default_tokens), "tokens a chunk", false});
    }
    out.push_back(std::move(info));
  }
  return out;
}

}  // namespace kvmend
