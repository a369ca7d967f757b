#include "model/tokenizer/pre_tokenizer.h"

#include <fmt/format.h>

#include "core/utf8.h"
#include "model/tokenizer/unicode.h"

namespace kvmend {
namespace {

constexpr std::string_view gpt2_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// Rebuilds the text with `prefix` in front of the pieces that `wants` says.
template <class Wants>
void prefix_pieces(PreTokens& tokens, std::string_view prefix, Wants wants) {
  AlignedEdit edit(tokens.text);
  std::uint32_t shift = 0;
  bool any = false;
  for (TextRange& piece : tokens.pieces) {
    const std::uint32_t before = shift;
    if (piece.begin < piece.end && wants(piece)) {
      edit.keep_to(piece.begin);
      edit.insert(prefix);
      shift += static_cast<std::uint32_t>(prefix.size());
      any = true;
    }
    piece = {piece.begin + before, piece.end + shift};
  }
  if (any) tokens.text = edit.finish();
}

/// The space that GPT-2-like tokenizers may put in front of a text.
class PrefixSpace final : public PreTokenizer {
 public:
  void apply(PreTokens& tokens) const override {
    prefix_pieces(tokens, " ", [&](TextRange piece) { return tokens.text.text[piece.begin] != ' '; });
  }
  std::string describe() const override { return "prefix_space"; }
};

class Digits final : public PreTokenizer {
 public:
  explicit Digits(bool individual) : individual_(individual) {}

  void apply(PreTokens& tokens) const override {
    std::vector<TextRange> pieces;
    pieces.reserve(tokens.pieces.size());
    for (const TextRange piece : tokens.pieces) split(tokens.text.text, piece, pieces);
    tokens.pieces = std::move(pieces);
  }
  std::string describe() const override { return fmt::format("digits({})", individual_); }

 private:
  void split(std::string_view text, TextRange piece, std::vector<TextRange>& out) const {
    std::uint32_t begin = piece.begin;
    bool in_digits = false;
    for (std::uint32_t at = piece.begin; at < piece.end;) {
      const utf8::Decoded c = utf8::decode_valid(text, at);
      const bool digit = unicode::is_numeric(c.code_point);
      const bool cut = digit != in_digits || (digit && individual_);
      if (cut && at > begin) {
        out.push_back({begin, at});
        begin = at;
      }
      in_digits = digit;
      at += c.length;
    }
    if (piece.end > begin) out.push_back({begin, piece.end});
  }

  bool individual_;
};

class Metaspace final : public PreTokenizer {
 public:
  Metaspace(std::string mark, PrependScheme scheme, bool split)
      : mark_(std::move(mark)), scheme_(scheme), split_(split) {}

  void apply(PreTokens& tokens) const override {
    replace_spaces(tokens);
    if (scheme_ != PrependScheme::never) {
      prefix_pieces(tokens, mark_, [&](TextRange piece) {
        const bool marked = std::string_view(tokens.text.text).substr(piece.begin).starts_with(mark_);
        return !marked && (scheme_ == PrependScheme::always || tokens.text.source(piece.begin) == 0);
      });
    }
    if (split_) split_at_marks(tokens);
  }
  std::string describe() const override {
    return fmt::format("metaspace({:?},{},{})", mark_, static_cast<int>(scheme_), split_);
  }

 private:
  void replace_spaces(PreTokens& tokens) const {
    if (tokens.text.text.find(' ') == std::string::npos) return;
    const auto growth = static_cast<std::uint32_t>(mark_.size() - 1);
    AlignedEdit edit(tokens.text);
    std::uint32_t shift = 0;
    for (TextRange& piece : tokens.pieces) {
      const std::uint32_t before = shift;
      for (std::uint32_t at = piece.begin; at < piece.end; ++at) {
        if (tokens.text.text[at] != ' ') continue;
        edit.keep_to(at);
        edit.replace_to(at + 1, mark_);
        shift += growth;
      }
      piece = {piece.begin + before, piece.end + shift};
    }
    tokens.text = edit.finish();
  }

  void split_at_marks(PreTokens& tokens) const {
    std::vector<TextRange> pieces;
    for (const TextRange piece : tokens.pieces) {
      const auto text = std::string_view(tokens.text.text).substr(0, piece.end);
      std::uint32_t begin = piece.begin;
      for (std::size_t at = begin; at < piece.end;) {
        const std::size_t mark = text.find(mark_, at);
        if (mark == std::string_view::npos) break;
        if (mark > begin) pieces.push_back({begin, static_cast<std::uint32_t>(mark)});
        begin = static_cast<std::uint32_t>(mark);
        at = mark + mark_.size();
      }
      if (piece.end > begin) pieces.push_back({begin, piece.end});
    }
    tokens.pieces = std::move(pieces);
  }

  std::string mark_;
  PrependScheme scheme_;
  bool split_;
};

class Sequence final : public PreTokenizer {
 public:
  explicit Sequence(std::vector<PreTokenizerPtr> steps) : steps_(std::move(steps)) {}

  void apply(PreTokens& tokens) const override {
    for (const auto& step : steps_) step->apply(tokens);
  }
  std::string describe() const override {
    std::string all;
    for (const auto& step : steps_) all += step->describe() + ";";
    return all;
  }

 private:
  std::vector<PreTokenizerPtr> steps_;
};

}  // namespace

PreTokenizerPtr make_digits(bool individual) { return std::make_unique<Digits>(individual); }

PreTokenizerPtr make_byte_level(bool add_prefix_space, bool use_pattern) {
  std::vector<PreTokenizerPtr> steps;
  if (add_prefix_space) steps.push_back(std::make_unique<PrefixSpace>());
  if (use_pattern) {
    steps.push_back(
        make_split(Pattern(gpt2_pattern, "ByteLevel"), std::string(gpt2_pattern), SplitBehavior::isolated, false));
  }
  return make_sequence(std::move(steps));
}

PreTokenizerPtr make_metaspace(std::string mark, PrependScheme scheme, bool split) {
  return std::make_unique<Metaspace>(std::move(mark), scheme, split);
}

PreTokenizerPtr make_sequence(std::vector<PreTokenizerPtr> steps) {
  return std::make_unique<Sequence>(std::move(steps));
}

}  // namespace kvmend
