#include "model/tokenizer.h"

#include "catch.h"
#include "paths.h"

using namespace kvmend;

namespace {

std::unique_ptr<Tokenizer> tiny(const std::string& model) {
  TokenizerSource source;
  source.json_path = std::filesystem::path(source_folder()) / "tests/data/models" / model / "tokenizer.json";
  return make_tokenizer(source);
}

void check_spans(const std::vector<Token>& tokens, std::size_t size) {
  std::uint32_t at = 0;
  for (const Token& token : tokens) {
    CHECK(token.begin == at);
    CHECK(token.end >= token.begin);
    at = token.end;
  }
  CHECK(at == size);
}

}  // namespace

TEST_CASE("spans cover the input and name the bytes each token stands for", "[tokenizer]") {
  const auto tokenizer = tiny("tiny-llama");
  const std::string text = "The river, 1984\t— naïve 🙂\n<|im_end|>done";
  const auto tokens = tokenizer->encode(text);
  check_spans(tokens, text.size());
  for (const Token& token : tokens) {
    CHECK(tokenizer->decode(std::vector{token.id}) == text.substr(token.begin, token.end - token.begin));
  }
  CHECK(tokenizer->decode(tokenizer->ids(text)) == text);
}

TEST_CASE("special tokens in text are ids, or plain text on request", "[tokenizer]") {
  const auto tokenizer = tiny("tiny-llama");
  const std::string text = "a<|im_end|>b";
  const auto parsed = tokenizer->ids(text);
  const auto plain = tokenizer->ids(text, {.special = false});
  CHECK(parsed.size() == 3);
  CHECK(tokenizer->is_special(parsed[1]));
  CHECK(plain.size() > 3);
  for (const int id : plain) CHECK_FALSE(tokenizer->is_special(id));
  CHECK(tokenizer->decode(parsed) == text);
  CHECK(tokenizer->decode(parsed, true) == "ab");
  CHECK(tokenizer->decode(plain) == text);
}

TEST_CASE("each byte that is no UTF-8 is read as U+FFFD and keeps its place", "[tokenizer]") {
  const auto tokenizer = tiny("tiny-llama");
  const std::string text = "a\xE2\x82z\xFF";
  CHECK(tokenizer->ids(text) == tokenizer->ids("a\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD"));
  check_spans(tokenizer->encode(text), text.size());
}

TEST_CASE("composed text keeps the spans of what was written", "[tokenizer]") {
  const auto tokenizer = tiny("tiny-qwen2");
  const std::string written = "caf\x65\xCC\x81 x";  // e and a combining acute accent
  CHECK(tokenizer->ids(written) == tokenizer->ids("caf\xC3\xA9 x"));
  const auto tokens = tokenizer->encode(written);
  check_spans(tokens, written.size());
  CHECK(tokens.back().end == written.size());
}
