// NFC with the alignment of every byte, in linear time on any text.
#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <algorithm>

#include "core/error.h"
#include "core/utf8.h"
#include "model/tokenizer/normalizer.h"

namespace kvmend {
namespace {

void check(UErrorCode status, const char* what) {
  require(U_SUCCESS(status) != 0, "ICU: {}: {}", what, u_errorName(status));
}

/// Marks that ICU would sort by insertion, which takes quadratic time when they come in descending order. No
/// language stacks this many on one letter.
constexpr std::size_t long_run = 64;

struct Mark {
  char32_t code_point;
  std::uint8_t combining_class;
};

class Nfc final : public Normalizer {
 public:
  Nfc() {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
    check(status, "no NFC data");
    known_.applyPattern(u"[:age=9.0:]", status);
    check(status, "no age data");
    known_.freeze();
    // Lead class: U+0F73 and its like are starters that decompose into marks.
    marks_.applyPattern(u"[[:age=9.0:]&[:^lccc=0:]]", status);
    check(status, "no combining classes");
    marks_.freeze();
    filtered_ = std::make_unique<icu::FilteredNormalizer2>(*nfc, known_);
  }

  AlignedText apply(AlignedText text) const override {
    if (is_plainly_normalized(text.text)) return text;
    text = sort_long_runs(std::move(text));
    if (is_normalized(text.text)) return text;
    UErrorCode status = U_ZERO_ERROR;
    std::string out;
    out.reserve(text.text.size());
    icu::StringByteSink<std::string> sink(&out);
    icu::Edits edits;
    filtered_->normalizeUTF8(0, text.text, sink, &edits, status);
    check(status, "normalizeUTF8");
    AlignedEdit edit(text);
    for (auto it = edits.getFineIterator(); it.next(status);) {
      const auto end = static_cast<std::size_t>(it.sourceIndex() + it.oldLength());
      if (it.hasChange() != 0) {
        edit.replace_to(end, std::string_view(out).substr(static_cast<std::size_t>(it.destinationIndex()),
                                                          static_cast<std::size_t>(it.newLength())));
      } else {
        edit.keep_to(end);
      }
    }
    check(status, "edits");
    return edit.finish();
  }

  std::string describe() const override { return "nfc"; }

 private:
  /// Everything below U+0300 (lead byte 0xCC) is in NFC already.
  static bool is_plainly_normalized(const std::string& text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0xCC; });
  }

  bool is_normalized(const std::string& text) const {
    UErrorCode status = U_ZERO_ERROR;
    const bool normalized = filtered_->isNormalizedUTF8(text, status) != 0;
    check(status, "isNormalizedUTF8");
    return normalized;
  }

  /// The marks that the code points of a run decompose into, in canonical order.
  std::string sorted_marks(std::string_view run) const {
    std::vector<Mark> marks;
    icu::UnicodeString parts;
    for (std::size_t at = 0; at < run.size();) {
      const utf8::Decoded c = utf8::decode_valid(run, at);
      at += c.length;
      const auto code = static_cast<UChar32>(c.code_point);
      if (filtered_->getDecomposition(code, parts) == 0) parts.setTo(code);
      for (std::int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
        const UChar32 part = parts.char32At(i);
        marks.push_back({static_cast<char32_t>(part), filtered_->getCombiningClass(part)});
      }
    }
    std::stable_sort(marks.begin(), marks.end(),
                     [](const Mark& a, const Mark& b) { return a.combining_class < b.combining_class; });
    std::string sorted;
    for (const Mark& mark : marks) utf8::append(sorted, mark.code_point);
    return sorted;
  }

  /// Decomposes and sorts runs of more than `long_run` marks: a canonically equivalent text that ICU takes in its
  /// stride. Within such a run bytes are aligned in proportion.
  AlignedText sort_long_runs(AlignedText text) const {
    AlignedEdit edit(text);
    const std::string_view all = text.text;
    bool any = false;
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t begin = at;
      std::size_t count = 0;
      utf8::Decoded c;
      while (at < all.size()) {
        c = utf8::decode_valid(all, at);
        if (c.code_point < 0x300 || marks_.contains(static_cast<UChar32>(c.code_point)) == 0) break;
        at += c.length;
        ++count;
      }
      if (count > long_run) {
        edit.keep_to(begin);
        edit.replace_to(at, sorted_marks(all.substr(begin, at - begin)));
        any = true;
      }
      if (at < all.size()) at += c.length;
    }
    return any ? edit.finish() : std::move(text);
  }

  icu::UnicodeSet known_;  ///< what the published tables know
  icu::UnicodeSet marks_;  ///< what decomposes into marks only
  std::unique_ptr<icu::FilteredNormalizer2> filtered_;
};

}  // namespace

NormalizerPtr make_nfc() { return std::make_unique<Nfc>(); }

}  // namespace kvmend
