#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "datasets/sentences.h"
#include "fakes.h"

using namespace kvmend;

namespace {

std::vector<std::string> pieces(const Chunker& chunker, const std::string& text,
                                const std::vector<std::size_t>& passages = {}) {
  const FakeTokenizer tokenizer;
  const auto tokens = tokenizer.encode(text);
  std::vector<std::string> out;
  std::size_t at = 0;
  for (const int end : chunker.cut(text, tokens, passages)) {
    const std::size_t stop = tokens[static_cast<std::size_t>(end) - 1].end;
    out.push_back(text.substr(at, stop - at));
    at = stop;
  }
  return out;
}

Value spec(const char* name, int tokens) { return yaml_map({{name, tokens}}); }

using Strings = std::vector<std::string>;

std::string error_of(const Value& value) {
  try {
    make_chunker(value);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("fixed cuts every n tokens") {
  CHECK(pieces(*make_chunker(spec("fixed", 2)), "one two six ten dog") == Strings{"one two", " six ten", " dog"});
  CHECK(pieces(*make_chunker(spec("fixed", 5)), "one two six ten dog") == Strings{"one two six ten dog"});
  CHECK(pieces(*make_chunker(spec("fixed", 2147483647)), "one two") == Strings{"one two"});
  CHECK(pieces(*make_chunker("fixed"), "").empty());
}

TEST_CASE("sentence extends to the end of the sentence") {
  const std::string text = "One dog ran. Two cats sat. It was Mr. Fox who saw it! Then all went home";
  CHECK(pieces(*make_chunker(spec("sentence", 1)), text) ==
        Strings{"One dog ran.", " Two cats sat.", " It was Mr. Fox who saw it!", " Then all went home"});
  CHECK(pieces(*make_chunker(spec("sentence", 5)), text) ==
        Strings{"One dog ran. Two cats sat.", " It was Mr. Fox who saw it!", " Then all went home"});
  // Lines of a list end like sentences; the break stays with its line's token.
  CHECK(pieces(*make_chunker(spec("sentence", 1)), "VAR A = 1\nVAR B = 2") == Strings{"VAR A = 1", "\nVAR B = 2"});
}

TEST_CASE("passage cuts where the documents start, at token ends") {
  const auto chunker = make_chunker("passage");
  CHECK(pieces(*chunker, "one two\n\nsix ten\n\ndog", {0, 9, 18}) == Strings{"one two\n\n", "six ten\n\n", "dog"});
  // A start inside a token moves to the token's end; two starts in one token are one cut.
  CHECK(pieces(*chunker, "abcd efgh ijkl", {0, 6, 7}) == Strings{"abcd efgh", " ijkl"});
  CHECK(pieces(*chunker, "intro abcd", {6}) == Strings{"intro abcd"});
  CHECK_THROWS_WITH(pieces(*chunker, "one two"), Catch::Contains("not made of documents"));
}

TEST_CASE("paragraph cuts behind blank lines") {
  const auto chunker = make_chunker("paragraph");
  CHECK(pieces(*chunker, "\n\none\ntwo\n \n  six\nten\n\n\ndog\n\n") ==
        Strings{"\n\none\ntwo\n \n", "  six\nten\n\n\n", "dog\n\n"});
  CHECK(pieces(*chunker, "one") == Strings{"one"});
}

TEST_CASE("every chunker covers every token with increasing ends") {
  const FakeTokenizer tokenizer;
  Random random(7);
  const std::string letters = "ab .\n!A";
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (std::int64_t n = random.between(0, 80); n > 0; --n) text += random.pick(letters);
    std::vector<std::size_t> passages{0};
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (random.real() < 0.1) passages.push_back(at);
    }
    const auto tokens = tokenizer.encode(text);
    for (const Value& value : {spec("fixed", 3), spec("sentence", 3), Value("passage"), Value("paragraph")}) {
      const auto ends = make_chunker(value)->cut(text, tokens, passages);
      int before = 0;
      for (const int end : ends) {
        CHECK(end > before);
        before = end;
      }
      CHECK(before == static_cast<int>(tokens.size()));
    }
  }
}

TEST_CASE("a chunker's canonical form makes the same chunker; bad ones are refused") {
  CHECK(make_chunker("fixed")->canonical().canonical() == R"({"fixed":512})");
  CHECK(make_chunker(spec("sentence", 64))->canonical().canonical() == R"({"sentence":64})");
  CHECK(make_chunker("passage")->canonical().canonical() == R"("passage")");
  for (const char* name : {"fixed", "sentence", "passage", "paragraph"}) {
    const Value canonical = make_chunker(name)->canonical();
    CHECK(make_chunker(canonical)->canonical().canonical() == canonical.canonical());
  }
  CHECK(error_of("fixd") == "unknown chunker 'fixd'; did you mean 'fixed'?");
  Value named = spec("sentense", 3);
  named.map()[0].where = {"c.yaml", 2, 11};
  CHECK(error_of(named) == "c.yaml:2:11: unknown chunker 'sentense'; did you mean 'sentence'?");
  CHECK(error_of(spec("fixed", 0)).find("must be at least 1") != std::string::npos);
  CHECK(error_of(spec("passage", 3)).find("takes no size") != std::string::npos);
  CHECK(error_of(yaml_map({{"fixed", "many"}})).find("expected an integer") != std::string::npos);
  CHECK(error_of(yaml_map({{"fixed", 1}, {"sentence", 2}})).find("a chunker is a name") != std::string::npos);
  CHECK(error_of(3).find("a chunker is a name") != std::string::npos);
  CHECK(list_chunkers().size() == 4);
}

TEST_CASE("sentence ends") {
  const auto ends = [](const std::string& text, bool lines = false) {
    Strings out;
    std::size_t at = 0;
    for (const auto end : sentence_ends(text, lines)) {
      out.push_back(text.substr(at, end - at));
      at = end;
    }
    return out;
  };
  CHECK(ends("A b. C d? E f!") == Strings{"A b.", " C d?", " E f!"});
  CHECK(ends("He said \"no.\" Then (so.) It ended...") == Strings{"He said \"no.\"", " Then (so.)", " It ended..."});
  CHECK(ends("Dr. A. B. Brill met Prof. Oke. Version 3.5 e.g. this") ==
        Strings{"Dr. A. B. Brill met Prof. Oke.", " Version 3.5 e.g. this"});
  CHECK(ends("It is no. 5 of all. I said no. He did") == Strings{"It is no. 5 of all.", " I said no.", " He did"});
  CHECK(ends("\u4f60\u597d\u3002\u518d\u89c1\uFF01") == Strings{"\u4f60\u597d\u3002", "\u518d\u89c1\uFF01"});
  CHECK(ends("one\ntwo\n\nsix", true) == Strings{"one", "\ntwo", "\n\nsix"});
  CHECK(ends("   ").empty());
  CHECK(ends("").empty());
}
