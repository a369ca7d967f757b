// The one tokenizer: added tokens, normaliser, pre-tokeniser, and byte-pair encoding or WordPiece, as the files describe them.
#include <algorithm>
#include <limits>
#include <mutex>

#include "core/error.h"
#include "core/hash.h"
#include "model/tokenizer/pipeline.h"

namespace kvmend {
namespace {

/// Scratch space for as many threads as encode at once; it keeps the words seen so far between calls.
class ScratchPool {
 public:
  std::unique_ptr<BpeScratch> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<BpeScratch>();
    auto scratch = std::move(free_.back());
    free_.pop_back();
    return scratch;
  }
  void give_back(std::unique_ptr<BpeScratch> scratch) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(scratch));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<BpeScratch>> free_;
};

class BpeTokenizer final : public Tokenizer {
 public:
  explicit BpeTokenizer(Pipeline pipeline) : p_(std::move(pipeline)) {
    special_.resize(p_.token_bytes.size());
    section_end_.resize(p_.token_bytes.size());
    for (const AddedToken& token : p_.added) {
      const auto id = static_cast<std::size_t>(token.id);
      special_[id] = token.special;
      section_end_[id] = true;
      if (token.normalized && p_.normalizer) {
        in_normalized_.add(token, p_.normalizer->apply({token.content, 0, {}}).text);
      } else {
        in_input_.add(token, token.content);
      }
    }
    fingerprint_ = compute_fingerprint();
  }

  std::vector<Token> encode(std::string_view text, EncodeOptions options) const override;
  std::string decode(std::span<const std::int32_t> ids, bool skip_special) const override;
  int vocab_size() const override { return static_cast<int>(p_.token_bytes.size()); }
  int bos() const override { return p_.bos; }
  int eos() const override { return p_.eos; }
  const std::vector<int>& stops() const override { return p_.stops; }
  bool is_special(int id) const override {
    return id >= 0 && id < vocab_size() && special_[static_cast<std::size_t>(id)];
  }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  void encode_section(AlignedText text, bool special, BpeScratch& scratch, std::vector<Token>& out) const;
  void encode_plain(AlignedText text, BpeScratch& scratch, std::vector<Token>& out) const;
  std::string compute_fingerprint() const;

  Pipeline p_;
  AddedTokenFinder in_input_, in_normalized_;
  std::vector<bool> special_, section_end_;
  std::string fingerprint_;
  mutable ScratchPool scratches_;
};

/// Gives bytes that no token was made from to the token before them, or to the first.
void cover(std::vector<Token>& tokens, std::size_t first, std::uint32_t size) {
  std::uint32_t end = 0;
  for (std::size_t i = first; i < tokens.size(); ++i) {
    if (i > first) tokens[i - 1].end = std::max(tokens[i - 1].end, tokens[i].begin);
    tokens[i].begin = i > first ? tokens[i - 1].end : end;
    tokens[i].end = std::max(tokens[i].end, tokens[i].begin);
  }
  if (tokens.size() > first) tokens.back().end = size;
}

std::vector<Token> BpeTokenizer::encode(std::string_view text, EncodeOptions options) const {
  if (text.size() >= std::numeric_limits<std::uint32_t>::max() / 4) {
    fail(ErrorKind::usage, "a text of {} bytes is too long to tokenize at once; the limit is 1 GiB", text.size());
  }
  std::vector<Token> tokens;
  tokens.reserve(text.size() / 4 + 8);
  if (options.add_bos && p_.add_bos && p_.bos >= 0) tokens.push_back({p_.bos, 0, 0});
  const std::size_t first = tokens.size();
  auto scratch = scratches_.take();
  const AlignedText clean = read_as_utf8(text);
  for (const auto& section : in_input_.split(clean.text, options.special)) {
    if (section.id >= 0) {
      tokens.push_back({section.id, clean.source(section.range.begin), clean.source(section.range.end)});
    } else {
      encode_section(clean.slice(section.range), options.special, *scratch, tokens);
    }
  }
  scratches_.give_back(std::move(scratch));
  cover(tokens, first, static_cast<std::uint32_t>(text.size()));
  return tokens;
}

void BpeTokenizer::encode_section(AlignedText text, bool special, BpeScratch& scratch, std::vector<Token>& out) const {
  if (p_.normalizer) text = p_.normalizer->apply(std::move(text));
  if (in_normalized_.empty()) return encode_plain(std::move(text), scratch, out);
  for (const auto& section : in_normalized_.split(text.text, special)) {
    if (section.id >= 0) {
      out.push_back({section.id, text.source(section.range.begin), text.source(section.range.end)});
    } else {
      encode_plain(text.slice(section.range), scratch, out);
    }
  }
}

void BpeTokenizer::encode_plain(AlignedText text, BpeScratch& scratch, std::vector<Token>& out) const {
  PreTokens pre;
  pre.pieces = {{0, static_cast<std::uint32_t>(text.text.size())}};
  pre.text = std::move(text);
  if (p_.pre_tokenizer) p_.pre_tokenizer->apply(pre);
  std::vector<BpeToken> pieces;
  for (const TextRange range : pre.pieces) {
    pieces.clear();
    const std::string_view piece = std::string_view(pre.text.text).substr(range.begin, range.end - range.begin);
    if (p_.word_piece) {
      p_.word_piece->encode(piece, pieces);
    } else {
      p_.bpe.encode(piece, scratch, pieces);
    }
    std::uint32_t at = range.begin;
    for (const BpeToken& token : pieces) {
      out.push_back({token.id, pre.text.source(at), pre.text.source(at + token.bytes)});
      at += token.bytes;
    }
  }
}

std::string BpeTokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
  std::string text;
  bool section_start = true;
  for (const std::int32_t id : ids) {
    const auto at = static_cast<std::size_t>(id);
    if (id < 0 || id >= vocab_size() || !p_.known[at]) {
      fail(ErrorKind::usage, "token id {} is unknown; the vocabulary has ids 0 to {}", id, vocab_size() - 1);
    }
    if (!(skip_special && special_[at])) {
      std::string_view bytes = p_.token_bytes[at];
      if (section_start && p_.strips_space && !section_end_[at] && bytes.starts_with(' ')) bytes.remove_prefix(1);
      text += bytes;
    }
    section_start = section_end_[at] && p_.every_section;
  }
  return text;
}

std::string BpeTokenizer::compute_fingerprint() const {
  std::string all = "kvmend tokenizer 1\n";
  const auto line = [&](std::string_view key, const auto& value) { all += fmt::format("{}={}\n", key, value); };
  line("normalizer", p_.normalizer ? p_.normalizer->describe() : "");
  line("pre_tokenizer", p_.pre_tokenizer ? p_.pre_tokenizer->describe() : "");
  line("flags", fmt::format("{} {} {} {} {} {} {}", p_.bpe.byte_level, p_.bpe.byte_fallback, p_.bpe.ignore_merges,
                            p_.bpe.fuse_unknown, p_.bpe.unknown, p_.add_bos, p_.bos));
  if (p_.word_piece) line("word_piece", fmt::format("{} {}", p_.word_piece->unknown, p_.word_piece->most_characters));
  for (std::size_t id = 0; id < p_.token_bytes.size(); ++id) {
    all += fmt::format("{}{}:", p_.known[id] ? "t" : "-", p_.token_bytes[id].size());
    all += p_.token_bytes[id];
  }
  for (const AddedToken& token : p_.added) {
    all += fmt::format("a{} {}{}{}{}{} {}:{}", token.id, token.special, token.single_word, token.lstrip, token.rstrip,
                       token.normalized, token.content.size(), token.content);
  }
  std::vector<std::array<std::int64_t, 4>> merges;
  merges.reserve(p_.bpe.merges.size());
  p_.bpe.merges.for_each([&](std::int32_t left, std::int32_t right, MergeTable::Merge merge) {
    merges.push_back({merge.rank, left, right, merge.id});
  });
  std::sort(merges.begin(), merges.end());
  const auto* bytes = reinterpret_cast<const char*>(merges.data());
  return sha256(all + sha256({bytes, merges.size() * sizeof(merges[0])}));
}

}  // namespace

std::unique_ptr<Tokenizer> make_tokenizer(Pipeline pipeline) {
  return std::make_unique<BpeTokenizer>(std::move(pipeline));
}

}  // namespace kvmend
