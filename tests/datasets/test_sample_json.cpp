#include <nlohmann/json.hpp>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "datasets/sample_json.h"
#include "fakes.h"

using namespace kvmend;
using nlohmann::json;

namespace {

std::string error_of(const std::string& text) {
  const FakeTokenizer tokenizer;
  try {
    read_request(text, "r.json", tokenizer);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    return error.what();
  }
  return "no error";
}

std::string text_of(const Request& r, int begin, int end) {
  const auto from = r.token_begin[static_cast<std::size_t>(begin)];
  return r.text.substr(from, r.token_end[static_cast<std::size_t>(end) - 1] - from);
}

void check_same(const Request& a, const Request& b) {
  CHECK(a.context_ids == b.context_ids);
  CHECK(a.query_ids == b.query_ids);
  CHECK(a.question_begin == b.question_begin);
  CHECK(a.question_end == b.question_end);
  REQUIRE(a.units.size() == b.units.size());
  for (std::size_t u = 0; u < a.units.size(); ++u) {
    CHECK(a.units[u].kind == b.units[u].kind);
    CHECK(a.units[u].begin == b.units[u].begin);
    CHECK(a.units[u].end == b.units[u].end);
  }
}

/// Prompts of every shape: formats, chunkers, BOS.
std::vector<Prompt> some_prompts(const FakeTokenizer& tokenizer) {
  std::vector<Prompt> out;
  static const FakeChat chats[] = {raw_chat(), turn_chat()};
  for (const char* name : {"ruler/niah_multiquery", "ruler/niah_single_1", "ruler/vt", "qa_custom"}) {
    const bool sized = std::string(name) != "qa_custom";
    const auto task = fake_task(name, sized ? yaml_map({{"length", 1400}}) : Value(), tokenizer);
    for (const auto& chat : chats) {
      for (const Value& spec : {yaml_map({{"fixed", 100}}), yaml_map({{"sentence", 64}}), Value("paragraph")}) {
        const auto chunker = make_chunker(spec);
        out.push_back(
            build_prompt(task->sample(3), {.tokenizer = &tokenizer, .chat = &chat, .chunker = chunker.get()}));
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a sample's line has the documented fields, and its texts joined are the prompt") {
  const FakeTokenizer tokenizer;
  for (const Prompt& prompt : some_prompts(tokenizer)) {
    const std::string line = sample_json(prompt, tokenizer);
    CHECK(line.find('\n') == std::string::npos);
    const json j = json::parse(line);
    std::string text, chunk_evidence;
    for (const auto& unit : j["units"]) text += unit["text"].get<std::string>();
    const std::string query = j["query"];
    CHECK(text + query + j["answer_prefix"].get<std::string>() == prompt.request.text);
    CHECK(j["id"] == prompt.sample.id);
    CHECK(j["references"] == json(prompt.sample.references));
    CHECK(j["metric"] == prompt.sample.metric);
    CHECK(j["max_new_tokens"] == prompt.sample.max_new_tokens);
    CHECK(j["stop"].is_array());
    CHECK(j["all_classes"].is_array());
    CHECK(j["hash"] == prompt.hash);
    CHECK(j["units"][0]["kind"] == "prefix");
    CHECK(j["units"][1]["kind"] == "chunk");
    // The question and the evidence are the sample's own words.
    const auto& sample = prompt.sample;
    const std::size_t q0 = j["question"][0], q1 = j["question"][1];
    CHECK(query.substr(q0, q1 - q0) ==
          sample.query.substr(sample.question.begin, sample.question.end - sample.question.begin));
    std::string evidence, expected;
    for (const auto& span : sample.evidence) expected += sample.context.substr(span.begin, span.end - span.begin);
    for (const auto& span : j["evidence"]) {
      const std::string unit = j["units"][span["unit"].get<std::size_t>()]["text"];
      const std::size_t begin = span["begin"], end = span["end"];
      evidence += unit.substr(begin, end - begin);
    }
    CHECK(evidence == expected);
  }
}

TEST_CASE("a sample's line is a request: by its ids, and by its text with another tokenizer") {
  const FakeTokenizer tokenizer;
  for (const Prompt& prompt : some_prompts(tokenizer)) {
    const std::string line = sample_json(prompt, tokenizer);
    check_same(read_request(line, "-", tokenizer), prompt.request);
    const FakeTokenizer other(false, false, 9);
    const Request again = read_request(line, "-", other);
    CHECK(again.text == prompt.request.text);
    CHECK(again.units.size() == prompt.request.units.size());
    json stripped = json::parse(line);
    for (const char* key : {"prefix_ids", "chunk_ids", "query_ids", "question_tokens", "tokenizer"})
      stripped.erase(key);
    check_same(read_request(stripped.dump(), "-", tokenizer), prompt.request);
    json ids;
    for (const char* key : {"prefix_ids", "chunk_ids", "query_ids", "question_tokens"})
      ids[key] = json::parse(line)[key];
    check_same(read_request(ids.dump(), "-", tokenizer), prompt.request);
  }
}

TEST_CASE("a sample's line gives its evidence back in tokens, by ids and by text") {
  const auto tokens_of = [](const std::vector<std::pair<int, int>>& ranges) {
    std::set<int> out;
    for (const auto& [begin, end] : ranges)
      for (int i = begin; i < end; ++i) out.insert(i);
    return out;
  };
  const FakeTokenizer tokenizer, with_bos(true, true);
  int with_evidence = 0;
  for (const FakeTokenizer* made_by : {&tokenizer, &with_bos}) {
    for (const Prompt& prompt : some_prompts(*made_by)) {
      const auto expected = tokens_of(prompt.evidence);
      with_evidence += expected.empty() ? 0 : 1;
      const std::string line = sample_json(prompt, *made_by);
      CHECK(tokens_of(read_evidence(line, "-", read_request(line, "-", *made_by))) == expected);
      json stripped = json::parse(line);
      stripped.erase("tokenizer");
      const std::string text = stripped.dump();
      CHECK(tokens_of(read_evidence(text, "-", read_request(text, "-", *made_by))) == expected);
    }
  }
  CHECK(with_evidence >= 24);  // of 48
  const std::string bare = R"({"chunks": ["one two"], "query": "\nsix"})";
  CHECK(read_evidence(bare, "-", read_request(bare, "-", tokenizer)).empty());

  const auto refused = [&](const std::string& evidence) -> std::string {
    const std::string line =
        R"({"units": [{"kind": "chunk", "text": "one two"}], "query": "\nsix", "evidence": [)" + evidence + "]}";
    try {
      read_evidence(line, "r.json", read_request(line, "r.json", tokenizer));
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::data);
      return error.what();
    }
    return "no error";
  };
  CHECK(refused(R"({"unit": 0, "begin": 4, "end": 7})") == "no error");
  CHECK(refused(R"({"unit": 1, "begin": 4, "end": 7})") == "r.json:1:82: evidence in unit 1 of 1");
  CHECK(refused(R"({"unit": 0, "begin": 4, "end": 8})") ==
        "r.json:1:82: the evidence [4, 8) is not inside unit 0 of 7 bytes");
  CHECK(refused(R"({"unit": 0, "begin": 4, "end": 4})") ==
        "r.json:1:82: the evidence [4, 4) is not inside unit 0 of 7 bytes");
}

TEST_CASE("a text request is tokenised once as a whole; boundaries move to token ends") {
  const FakeTokenizer tokenizer;
  const Request r = read_request(
      R"({"prefix": "Read.", "chunks": ["\nabcdef", " two dog"], "query": "s end? Yes", "question": [2, 6]})", "-",
      tokenizer);
  CHECK(r.text == "Read.\nabcdef two dogs end? Yes");
  REQUIRE(r.units.size() == 3);
  CHECK(text_of(r, 0, r.units[0].end) == "Read.\n");  // ".\n" is one token
  CHECK(text_of(r, r.units[1].begin, r.units[1].end) == "abcdef");
  CHECK(text_of(r, r.units[2].begin, r.units[2].end) == " two dogs");  // " dogs" too
  CHECK(text_of(r, r.n_context(), r.n_tokens()) == " end? Yes");
  CHECK(text_of(r, r.n_context() + r.question_begin, r.n_context() + r.question_end) == " end?");
}

TEST_CASE("prefix and question may be missing; BOS is the tokenizer's affair or asked for") {
  const FakeTokenizer plain, bos(true, false), adds(true, true);
  const char* text = R"({"chunks": ["one two"], "query": "\nsix"})";
  Request r = read_request(text, "-", plain);
  CHECK_FALSE(r.has_prefix());
  CHECK(r.question_begin == 0);
  CHECK(r.question_end == r.n_query());
  CHECK_FALSE(read_request(text, "-", bos).has_prefix());
  r = read_request(text, "-", bos, {.keep_bos = true});
  CHECK(r.units.front().kind == UnitKind::prefix);
  CHECK(r.units.front().size() == 1);
  CHECK(read_request(text, "-", adds).has_prefix());
  CHECK(read_request(R"({"prefix": null, "chunks": [], "query": "x"})", "-", plain).n_context() == 0);
}

TEST_CASE("what is no request is refused at its place") {
  CHECK(error_of("") ==
        "r.json:1:1: no valid JSON: syntax error while parsing value - unexpected end of input; expected '[', '{', or "
        "a literal");
  CHECK(error_of("[]") == "r.json:1:1: a request is a map, found a list");
  CHECK(error_of("{}") == "r.json:1:1: the request has no 'chunks'");
  CHECK(error_of(R"({"chunks": ["a"]})") == "r.json:1:1: the request has no 'query'");
  CHECK(error_of(R"({"chunks": ["a", ""], "query": "q"})") ==
        "r.json:1:18: an empty chunk: leave it out or give it text");
  CHECK(error_of(R"({"chunks": ["a", 7], "query": "q"})") == "r.json:1:18: expected a string, found an integer (7)");
  CHECK(error_of(R"({"chunks": ["a"], "query": ""})") == "r.json:1:28: query is empty: a request needs a query");
  CHECK(error_of(R"({"chunk": ["a"], "query": "q"})") == "r.json:1:2: unknown field 'chunk'; did you mean 'chunks'?");
  CHECK(error_of("{\"chunks\": [\"a\"],\n \"query\": \" q\", \"question\": [1, 3]}") ==
        "r.json:2:29: the question [1, 3) is not inside the query of 2 bytes");
  CHECK(error_of(R"({"chunks": ["a"], "query": " q", "question": [0]})") ==
        "r.json:1:46: a question is [begin, end], found [0]");
  CHECK(error_of(R"({"chunks": ["ab", "cd"], "query": " q"})") ==
        "r.json:1:19: chunk 1 has no token of its own: it lies inside a token of its neighbour");
  CHECK(error_of(R"({"chunks": ["ab"], "query": "cd"})") ==
        "r.json:1:1: the query has no token of its own: it lies inside the last chunk's last token");
  CHECK(error_of(R"({"chunk_ids": [[1], []], "query_ids": [2]})") ==
        "r.json:1:21: an empty chunk: leave it out or give it tokens");
  CHECK(error_of(R"({"chunk_ids": [[1, -3]], "query_ids": [2]})") ==
        "r.json:1:20: token -3 is outside the vocabulary of 1048576");
  CHECK(error_of(R"({"chunk_ids": [[1]], "query_ids": []})") ==
        "r.json:1:35: query_ids is empty: a request needs a query");
  CHECK(error_of(R"({"chunk_ids": [[1]], "query_ids": [2], "question_tokens": [0, 2]})") ==
        "r.json:1:59: the question [0, 2) is not inside the query of 1 tokens");
  CHECK(error_of(R"({"chunk_ids": [[1]], "query_ids": [2], "query": "x"})") ==
        "r.json:1:1: a request is text or ids, not both");
  CHECK(error_of(R"({"units": [{"kind": "chunk", "text": "a"}, {"kind": "prefix", "text": "b"}], "query": "q"})") ==
        "r.json:1:44: a unit of kind 'prefix': the first may be a prefix, all others are chunks");
}

TEST_CASE("a unit that ends inside a character keeps exact ids; its text moves to the character's end") {
  // One byte a token: every character is cut somewhere.
  class Bytes final : public Tokenizer {
   public:
    std::vector<Token> encode(std::string_view text, EncodeOptions) const override {
      std::vector<Token> out;
      for (std::uint32_t i = 0; i < text.size(); ++i) {
        out.push_back({static_cast<unsigned char>(text[i]), i, i + 1});
      }
      return out;
    }
    std::string decode(std::span<const std::int32_t> ids, bool) const override {
      std::string out;
      for (const auto id : ids) out += static_cast<char>(id);
      return out;
    }
    int vocab_size() const override { return 256; }
    int bos() const override { return -1; }
    int eos() const override { return -1; }
    const std::vector<int>& stops() const override { return stops_; }
    bool is_special(int) const override { return false; }
    std::string fingerprint() const override { return "bytes"; }

   private:
    std::vector<int> stops_;
  };
  const Bytes tokenizer;
  const FakeChat chat = raw_chat();
  TaskSample sample;
  sample.prefix = "\u00e9";
  sample.context = "a\u20ac\u20acb\u00fc";
  sample.query = "?";
  for (int n = 1; n < 9; ++n) {
    const auto chunker = make_chunker(yaml_map({{"fixed", n}}));
    const Prompt prompt = build_prompt(sample, {.tokenizer = &tokenizer, .chat = &chat, .chunker = chunker.get()});
    const std::string line = sample_json(prompt, tokenizer);
    const json j = json::parse(line);
    std::string text;
    for (const auto& unit : j["units"]) text += unit["text"].get<std::string>();
    CHECK(text == sample.prefix + sample.context);
    check_same(read_request(line, "-", tokenizer), prompt.request);
  }
}
