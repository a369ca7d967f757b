#pragma once
// A tokenizer and chat formats that need no model: tests of tasks, chunkers and prompts use them.
#include <map>
#include <string>
#include <vector>

#include "datasets/prompt.h"
#include "datasets/task.h"

namespace kvmend {

/// Pieces like those of a byte-level BPE: up to `piece` letters or digits with the space before them, line breaks glued
/// to the punctuation before them (so that tokens cross the borders of a prompt's parts), special tokens as written.
class FakeTokenizer final : public Tokenizer {
 public:
  explicit FakeTokenizer(bool has_bos = false, bool adds_bos = false, std::size_t piece = 4)
      : has_bos_(has_bos), adds_bos_(adds_bos), piece_(piece) {
    for (const char* special : {"<s>", "<|user|>", "<|end|>", "<|assistant|>"}) intern(special);
  }

  std::vector<Token> encode(std::string_view text, EncodeOptions options = {}) const override {
    std::vector<Token> out;
    if (options.add_bos && adds_bos_) out.push_back({0, 0, 0});
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = piece_length(text.substr(at));
      out.push_back({intern(std::string(text.substr(at, length))), static_cast<std::uint32_t>(at),
                     static_cast<std::uint32_t>(at + length)});
      at += length;
    }
    return out;
  }
  std::string decode(std::span<const std::int32_t> ids, bool skip_special = false) const override {
    std::string out;
    for (const auto id : ids) {
      if (!(skip_special && id < 4)) out += words_.at(static_cast<std::size_t>(id));
    }
    return out;
  }
  int vocab_size() const override { return 1 << 20; }
  int bos() const override { return has_bos_ ? 0 : -1; }
  int eos() const override { return 2; }
  const std::vector<int>& stops() const override { return stops_; }
  bool is_special(int id) const override { return id < 4; }
  std::string fingerprint() const override { return "fake" + std::to_string(piece_); }

 private:
  static bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
  }

  std::size_t piece_length(std::string_view rest) const {
    for (std::size_t special = 0; special < 4; ++special) {
      if (rest.starts_with(words_[special])) return words_[special].size();
    }
    std::size_t at = rest[0] == ' ' && rest.size() > 1 && is_word(rest[1]) ? 1 : 0;
    if (is_word(rest[at])) {
      const std::size_t begin = at;
      while (at < rest.size() && is_word(rest[at]) && at - begin < piece_) ++at;
      return at;
    }
    at = 1;
    while (at < rest.size() && rest[at] == '\n' && at < 3) ++at;
    return at;
  }
  int intern(const std::string& word) const {
    const auto [found, fresh] = ids_.try_emplace(word, static_cast<int>(words_.size()));
    if (fresh) words_.push_back(word);
    return found->second;
  }

  bool has_bos_, adds_bos_;
  std::size_t piece_;
  mutable std::vector<std::string> words_;
  mutable std::map<std::string, int> ids_;
  std::vector<int> stops_{2};
};

class FakeChat final : public ChatFormat {
 public:
  FakeChat(std::string head, std::string tail) : head_(std::move(head)), tail_(std::move(tail)) {}
  std::string name() const override { return tail_.empty() ? "raw" : "fake"; }
  ChatFrame frame(std::string_view system) const override { return {head_ + std::string(system), tail_}; }

 private:
  std::string head_, tail_;
};

inline FakeChat raw_chat() { return {"", ""}; }
inline FakeChat turn_chat() { return {"<|user|>\n", "<|end|>\n<|assistant|>\n"}; }

inline Value yaml_map(std::initializer_list<std::pair<const char*, Value>> entries) {
  Value out{Value::Map{}};
  for (const auto& [key, value] : entries) out.set(key, value);
  return out;
}

/// A task sized with the fake tokenizer in raw format.
inline std::unique_ptr<Task> fake_task(const std::string& name, const Value& params, const FakeTokenizer& tokenizer) {
  static const FakeChat chat = raw_chat();
  static const auto chunker = make_chunker("fixed");
  TaskContext context;
  context.prompt_tokens = [&tokenizer](const TaskSample& sample) {
    return count_prompt_tokens(sample, {.tokenizer = &tokenizer, .chat = &chat, .chunker = chunker.get()});
  };
  return make_task(name, params, context);
}

/// The raw prompt: what RULER's own files hold.
inline std::string raw_prompt(const TaskSample& sample) {
  return sample.prefix + sample.context + sample.query + sample.answer_prefix;
}

}  // namespace kvmend
