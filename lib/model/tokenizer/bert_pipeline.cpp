#include "model/tokenizer/bert_pipeline.h"

#include <fmt/format.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uniset.h>

#include <algorithm>

#include "core/error.h"
#include "core/utf8.h"
#include "model/tokenizer/unicode.h"

namespace kvmend {
namespace {

void check(UErrorCode status) { require(U_SUCCESS(status) != 0, "ICU: {}", u_errorName(status)); }

icu::UnicodeSet make_set(const char16_t* pattern) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeSet set(pattern, status);
  check(status);
  set.freeze();
  return set;
}

bool contains(const icu::UnicodeSet& set, char32_t c) { return set.contains(static_cast<UChar32>(c)) != 0; }

/// Rewrites a text a character at a time: `map(c, out)` appends what stands for c and says whether that is not c itself.
template <class Map>
AlignedText map_characters(AlignedText text, const Map& map) {
  AlignedEdit edit(text);
  bool any = false;
  std::string out;
  for (std::size_t at = 0; at < text.text.size();) {
    const utf8::Decoded c = utf8::decode_valid(text.text, at);
    out.clear();
    if (map(c.code_point, out)) {
      edit.keep_to(at);
      edit.replace_to(at + c.length, out);
      any = true;
    }
    at += c.length;
  }
  return any ? edit.finish() : std::move(text);
}

class Clean final : public Normalizer {
 public:
  AlignedText apply(AlignedText text) const override {
    return map_characters(std::move(text), [&](char32_t c, std::string& out) {
      if (c == U'\t' || c == U'\n' || c == U'\r') {
        out = " ";
        return true;
      }
      if (c == 0 || c == 0xFFFD || contains(controls_, c)) return true;
      if (c == U' ' || !unicode::is_white_space(c)) return false;
      out = " ";
      return true;
    });
  }
  std::string describe() const override { return "bert_clean"; }

 private:
  icu::UnicodeSet controls_ = make_set(u"[[:age=8.0:]&[[:Cc:][:Cf:][:Co:]]]");
};

class SpaceIdeographs final : public Normalizer {
 public:
  AlignedText apply(AlignedText text) const override {
    return map_characters(std::move(text), [](char32_t c, std::string& out) {
      if (!is_ideograph(c)) return false;
      out = " ";
      utf8::append(out, c);
      out += " ";
      return true;
    });
  }
  std::string describe() const override { return "bert_ideographs"; }

 private:
  static bool is_ideograph(char32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
           (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
  }
};

class StripAccents final : public Normalizer {
 public:
  StripAccents() {
    UErrorCode status = U_ZERO_ERROR;
    nfd_ = icu::Normalizer2::getNFDInstance(status);
    check(status);
  }

  /// Decomposing a character at a time leaves only marks that are not non-spacing out of canonical order.
  AlignedText apply(AlignedText text) const override {
    text = map_characters(std::move(text), [&](char32_t c, std::string& out) {
      if (c < 0xC0) return false;
      icu::UnicodeString parts;
      const auto code = static_cast<UChar32>(c);
      const bool decomposes = contains(decomposed_, c) && nfd_->getDecomposition(code, parts) != 0;
      if (!decomposes) return contains(marks_, c);
      for (std::int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
        const auto part = static_cast<char32_t>(parts.char32At(i));
        if (!contains(marks_, part)) utf8::append(out, part);
      }
      return true;
    });
    return order_marks(std::move(text));
  }
  std::string describe() const override { return "bert_strip_accents"; }

 private:
  AlignedText order_marks(AlignedText text) const {
    AlignedEdit edit(text);
    bool any = false;
    for (std::size_t at = 0; at < text.text.size();) {
      const std::size_t begin = at;
      std::vector<std::pair<std::uint8_t, char32_t>> run;
      utf8::Decoded c;
      while (at < text.text.size()) {
        c = utf8::decode_valid(text.text, at);
        const bool old = c.code_point >= 0x300 && contains(decomposed_, c.code_point);
        const std::uint8_t order = old ? nfd_->getCombiningClass(static_cast<UChar32>(c.code_point)) : 0;
        if (order == 0) break;
        run.emplace_back(order, c.code_point);
        at += c.length;
      }
      const auto by_class = [](const auto& a, const auto& b) { return a.first < b.first; };
      if (!std::is_sorted(run.begin(), run.end(), by_class)) {
        std::stable_sort(run.begin(), run.end(), by_class);
        std::string sorted;
        for (const auto& [order, mark] : run) utf8::append(sorted, mark);
        edit.keep_to(begin);
        edit.replace_to(at, sorted);
        any = true;
      }
      if (at < text.text.size()) at += c.length;
    }
    return any ? edit.finish() : std::move(text);
  }

  const icu::Normalizer2* nfd_ = nullptr;
  icu::UnicodeSet decomposed_ = make_set(u"[:age=9.0:]");  // as make_nfc's
  icu::UnicodeSet marks_ = make_set(u"[[[[:age=8.0:]&[:Mn:]]-[\\u1885\\u1886\\uA9BD\\U000111C9]]\\u1734]");
};

class Lowercase final : public Normalizer {
 public:
  AlignedText apply(AlignedText text) const override {
    return map_characters(std::move(text), [](char32_t c, std::string& out) {
      if (c < 0x80 && (c < U'A' || c > U'Z')) return false;
      if (c == 0x130) {  // the one letter whose lower case is two
        out = "i\xCC\x87";
        return true;
      }
      const char32_t lower = unicode::lower(c);
      if (lower == c) return false;
      utf8::append(out, lower);
      return true;
    });
  }
  std::string describe() const override { return "lowercase"; }
};

class BertPreTokenizer final : public PreTokenizer {
 public:
  void apply(PreTokens& tokens) const override {
    std::vector<TextRange> pieces;
    for (const TextRange piece : tokens.pieces) split(tokens.text.text, piece, pieces);
    tokens.pieces = std::move(pieces);
  }
  std::string describe() const override { return "bert"; }

 private:
  void split(std::string_view text, TextRange piece, std::vector<TextRange>& out) const {
    std::uint32_t begin = piece.begin;
    for (std::uint32_t at = piece.begin; at < piece.end;) {
      const utf8::Decoded c = utf8::decode_valid(text, at);
      const std::uint32_t next = at + c.length;
      const bool space = unicode::is_white_space(c.code_point), mark = is_punctuation(c.code_point);
      if (space || mark) {
        if (at > begin) out.push_back({begin, at});
        if (mark) out.push_back({at, next});
        begin = next;
      }
      at = next;
    }
    if (piece.end > begin) out.push_back({begin, piece.end});
  }
  bool is_punctuation(char32_t c) const {
    if (c < 0x80)
      return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) ||
             (c >= 0x7B && c <= 0x7E);
    return contains(punctuation_, c);
  }
  icu::UnicodeSet punctuation_ = make_set(u"[[[:age=8.0:]&[:P:]]\\u166D\\U000111C9]");
};

}  // namespace

NormalizerPtr make_bert_normalizer(const BertNormalizing& what) {
  std::vector<NormalizerPtr> steps;
  if (what.clean_text) steps.push_back(std::make_unique<Clean>());
  if (what.handle_chinese_chars) steps.push_back(std::make_unique<SpaceIdeographs>());
  if (what.strip_accents) steps.push_back(std::make_unique<StripAccents>());
  if (what.lowercase) steps.push_back(std::make_unique<Lowercase>());
  return make_sequence(std::move(steps));
}

PreTokenizerPtr make_bert_pre_tokenizer() { return std::make_unique<BertPreTokenizer>(); }

}  // namespace kvmend
