#include <bitset>
#include <map>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "core/utf8.h"
#include "golden_strings.h"
#include "model/gguf.h"
#include "model/gguf_tokenizer.h"
#include "model/locate.h"
#include "model/tokenizer.h"
#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/word_mark.h"
#include "support/require_model.h"

using namespace kvmend;

namespace {

constexpr std::size_t group = 4, sweep_group = 8;  // strings to one hash, as the script groups them

/// In order, without overlap, without gap.
bool covers(const std::vector<Token>& tokens, std::size_t size) {
  std::uint32_t at = 0;
  for (const Token& token : tokens) {
    if (token.begin != at || token.end < at) return false;
    at = token.end;
  }
  return tokens.empty() || at == size;
}

std::string in_hex(const std::string& bytes) {
  std::string hex;
  for (const char c : bytes.substr(0, 200)) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

/// Texts that decoding must give back: valid UTF-8 that the pipeline does not rewrite and whose bytes all have a token (of
/// SmolLM's some have none).
class ComesBack {
 public:
  ComesBack(const Tokenizer& tokenizer, std::string name) : rewrites_(what_is_rewritten(std::move(name))) {
    for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
      try {
        const std::string bytes = tokenizer.decode(std::span(&id, 1));
        if (bytes.size() == 1) bytes_.set(static_cast<unsigned char>(bytes[0]));
      } catch (const Error&) {  // a gap in the vocabulary
      }
    }
    bytes_.set(' ');  // decoded alone, a word's leading space may be dropped
  }

  bool operator()(const std::string& text) const {
    if (rewrites_ == Rewrites::more || utf8::find_invalid(text) < text.size()) return false;
    if (rewrites_ == Rewrites::spaces && text.find(word_mark) != std::string::npos) return false;
    if (rewrites_ == Rewrites::composes && nfc_->apply(read_as_utf8(text)).text != text) return false;
    return std::all_of(text.begin(), text.end(), [&](char c) { return bytes_[static_cast<unsigned char>(c)]; });
  }
  bool ever() const { return rewrites_ != Rewrites::more; }

 private:
  /// Nothing; to NFC; spaces to U+2581 and back; what cannot be undone.
  enum class Rewrites : std::uint8_t { nothing, composes, spaces, more };

  static Rewrites what_is_rewritten(std::string name) {
    if (name.starts_with("tiny-")) name.erase(0, 5);
    static const std::map<std::string, Rewrites> known{
        {"smollm", Rewrites::nothing},    {"smollm2-135m", Rewrites::nothing},
        {"llama-bpe", Rewrites::nothing}, {"gpt-2", Rewrites::nothing},
        {"qwen2", Rewrites::composes},    {"qwen2.5-coder-0.5b", Rewrites::composes},
        {"llama", Rewrites::spaces},      {"llama-over-spaces", Rewrites::spaces},
        {"gemma-like", Rewrites::spaces}, {"llama-spm", Rewrites::spaces}};
    const auto found = known.find(name);
    return found == known.end() ? Rewrites::more : found->second;
  }

  Rewrites rewrites_;
  std::bitset<256> bytes_;
  NormalizerPtr nfc_ = make_nfc();
};

struct Checked {
  std::size_t strings = 0, decoded = 0;
};

Checked check_hashes(const Tokenizer& tokenizer, const ComesBack& comes_back, const nlohmann::json& wanted,
                     const std::vector<std::string>& strings, std::size_t first, std::size_t last, std::size_t together,
                     EncodeOptions options) {
  REQUIRE(wanted.size() == (last - first) / together);
  Checked checked{last - first, 0};
  std::uint32_t crc = 0;
  for (std::size_t i = first; i < last; ++i) {
    const auto tokens = tokenizer.encode(strings[i], options);
    if (!covers(tokens, strings[i].size())) FAIL("spans do not cover string " << i << ": " << in_hex(strings[i]));
    std::vector<std::int32_t> ids;
    for (const Token& token : tokens) ids.push_back(token.id);
    crc = crc_of(ids, crc);
    if (comes_back(strings[i])) {
      ++checked.decoded;
      if (tokenizer.decode(ids) != strings[i]) FAIL("string " << i << " decodes to another: " << in_hex(strings[i]));
    }
    if ((i - first + 1) % together != 0) continue;
    if (crc != wanted[(i - first) / together].get<std::uint32_t>()) {
      FAIL("ids differ in one of the strings " << i + 1 - together << " to " << i
                                               << "; the last: " << in_hex(strings[i]));
    }
    crc = 0;
  }
  return checked;
}

/// All golden ids of one tokenizer, and the strings that they decode to.
void check_golden(const Tokenizer& tokenizer, const std::string& name) {
  INFO(name);
  const auto golden = read_golden(name);
  const auto& strings = golden_strings();
  for (const auto& example : golden["examples"]) {  // first, because they show where ids begin to differ
    const auto index = example[0].get<std::size_t>();
    INFO("string " << index << ": " << in_hex(strings[index]));
    REQUIRE(tokenizer.ids(strings[index]) == example[1].get<std::vector<std::int32_t>>());
  }
  const ComesBack comes_back(tokenizer, name);
  Checked all;
  const auto check = [&](const char* part, const std::vector<std::string>& texts, std::size_t first, std::size_t last,
                         std::size_t together, EncodeOptions options) {
    const Checked some = check_hashes(tokenizer, comes_back, golden[part], texts, first, last, together, options);
    all = {all.strings + some.strings, all.decoded + some.decoded};
  };
  check("crc", strings, 0, strings.size(), group, {});
  const auto begin = golden["plain_range"][0].get<std::size_t>();
  const auto end = golden["plain_range"][1].get<std::size_t>();
  check("plain", strings, begin, end, group, {.special = false});
  if (!golden["sweep"].empty()) {
    const auto sweep = sweep_strings();
    check("sweep", sweep, 0, sweep.size(), sweep_group, {});
  }
  CHECK(all.strings >= 10'000);
  if (comes_back.ever()) CHECK(all.decoded >= 9'000);
}

TokenizerSource tiny_json(const std::string& name) {
  TokenizerSource source;
  source.json_path = tokenizer_data() / "tiny" / (name + ".json");
  return source;
}

/// The fields that a GGUF file made from the tiny tokenizer would have.
TokenizerSource tiny_gguf(const std::string& name) {
  const auto content = nlohmann::json::parse(read_file(tokenizer_data() / "tiny" / (name + ".json")));
  const auto& model = content["model"];
  TokenizerSource source;
  source.gguf_pre = name;
  source.gguf_model = name == "llama" ? "llama" : "gpt2";
  for (const auto& [text, id] : model["vocab"].items()) {
    source.tokens.resize(std::max(source.tokens.size(), id.get<std::size_t>() + 1));
    source.tokens[id.get<std::size_t>()] = text;
  }
  source.token_types.assign(source.tokens.size(), 1);
  source.scores.assign(source.tokens.size(), -1e9F);
  float score = 0;
  for (const auto& merge : model["merges"]) {
    const bool pair = merge.is_array();
    const std::string joined =
        pair ? merge[0].get<std::string>() + " " + merge[1].get<std::string>() : merge.get<std::string>();
    source.merges.push_back(joined);
    std::string token = joined;
    token.erase(token.find(' '), 1);
    const auto at = std::find(source.tokens.begin(), source.tokens.end(), token) - source.tokens.begin();
    auto& known = source.scores[static_cast<std::size_t>(at)];
    known = std::max(known, score);
    score -= 1;
  }
  for (const auto& token : content["added_tokens"]) {
    source.token_types[token["id"].get<std::size_t>()] = token["content"] == "<unk>" ? 2 : 3;
  }
  if (name == "llama") {
    for (std::size_t id = 0; id < source.tokens.size(); ++id) {
      if (source.tokens[id].starts_with("<0x")) source.token_types[id] = 6;
    }
  }
  return source;
}

TokenizerSource from_gguf(const std::filesystem::path& path) {
  return read_gguf_tokenizer(read_gguf(path).metadata, 1 << 24);
}

/// The golden ids of a tokenizer whose vocabulary is not ours to commit.
void check_fetched(const std::string& name, const std::filesystem::path& path, const std::string& fetch) {
  if (!test::require_model(name, std::filesystem::exists(path), fetch)) return;
  check_golden(*make_tokenizer(from_gguf(path)), name);
}

}  // namespace

TEST_CASE("every kind of tokenizer.json gives the published pipeline's ids", "[tokenizer][golden]") {
  const auto name =
      GENERATE(as<std::string>(), "smollm", "qwen2", "llama-bpe", "gpt-2", "llama", "llama-over-spaces", "no-fallback",
               "gemma-like", "metaspace-first", "metaspace-always", "metaspace-never", "unusual", "bert");
  check_golden(*make_tokenizer(tiny_json(name)), "tiny-" + name);
}

TEST_CASE("the same tokenizer out of GGUF fields gives the same ids", "[tokenizer][golden]") {
  const auto name = GENERATE(as<std::string>(), "smollm", "qwen2", "llama-bpe", "gpt-2", "llama");
  check_golden(*make_tokenizer(tiny_gguf(name)), "tiny-" + name);
}

TEST_CASE("WordPiece out of GGUF fields gives the same ids, and both put [CLS] in front and end with [SEP]",
          "[tokenizer][golden]") {
  const auto content = nlohmann::json::parse(read_file(tokenizer_data() / "tiny" / "bert.json"));
  TokenizerSource source;
  source.gguf_model = "bert";
  source.add_bos = true;
  const auto& vocab = content["model"]["vocab"];
  source.tokens.resize(vocab.size());
  source.token_types.assign(vocab.size(), 1);
  for (const auto& [text, id] : vocab.items()) {
    const bool special = text.size() > 2 && text.front() == '[' && text.back() == ']';
    const bool inside = text.starts_with("##");
    source.token_types[id.get<std::size_t>()] = special ? 3 : 1;
    source.tokens[id.get<std::size_t>()] = special ? text : inside ? text.substr(2) : "\u2581" + text;
  }
  source.unknown = vocab["[UNK]"].get<int>();
  source.bos = vocab["[CLS]"].get<int>();
  source.eos = vocab["[SEP]"].get<int>();
  const auto from_gguf = make_tokenizer(source), from_json = make_tokenizer(tiny_json("bert"));
  check_golden(*from_gguf, "tiny-bert");
  for (const Tokenizer* tokenizer : {from_gguf.get(), from_json.get()}) {
    CHECK(tokenizer->ids("Ein Wort", {.add_bos = true}).front() == source.bos);
    CHECK(tokenizer->eos() == source.eos);
    CHECK(tokenizer->decode(tokenizer->ids("the river, the sea")) == "the river , the sea");
  }
}

TEST_CASE("SmolLM2's tokenizer gives the published ids", "[tokenizer][golden]") {
  check_fetched("smollm2-135m", models_dir() / "smollm2-135m.gguf", "scripts/fetch smollm2-135m");
}

TEST_CASE("Qwen2.5-Coder's tokenizer gives the published ids", "[.qwen]") {
  check_fetched("qwen2.5-coder-0.5b", models_dir() / "qwen2.5-coder-0.5b.gguf", "scripts/fetch qwen2.5-coder-0.5b");
}

TEST_CASE("Llama's, GPT-2's and Qwen2's vocabularies give the published ids", "[.vocab]") {
  const auto name = GENERATE(as<std::string>(), "llama-bpe", "llama-spm", "gpt-2", "qwen2");
  check_fetched(name, models_dir() / "vocab" / ("ggml-vocab-" + name + ".gguf"), "scripts/golden/fetch_vocabularies");
}
