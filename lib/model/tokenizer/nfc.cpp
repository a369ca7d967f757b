// NFC with the alignment of every byte, in linear time on any text.
#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <algorithm>

#include "core/error.h"
#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/utf8.h"

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
    filtered_ = std::make_unique<icu::FilteredNormalizer2>(*nfc, known_);
  }

  AlignedText apply(AlignedText text) const override {
    if (is_normalized(text.text)) return text;
    text = sort_long_runs(std::move(text));
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
  bool is_normalized(const std::string& text) const {
    // Everything below U+0300 (lead byte 0xCC) is in NFC already.
    if (std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0xCC; }))
      return true;
    UErrorCode status = U_ZERO_ERROR;
    const bool normalized = filtered_->isNormalizedUTF8(text, status) != 0;
    check(status, "isNormalizedUTF8");
    return normalized;
  }

  /// The marks a code point decomposes into, itself included; false: one of them is no mark.
  bool append_marks(char32_t c, std::vector<Mark>& marks) const {
    if (c < 0x300 || known_.contains(static_cast<UChar32>(c)) == 0) return false;
    icu::UnicodeString parts;
    if (filtered_->getDecomposition(static_cast<UChar32>(c), parts) == 0) parts.setTo(static_cast<UChar32>(c));
    const std::size_t before = marks.size();
    for (std::int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
      const UChar32 part = parts.char32At(i);
      const std::uint8_t combining_class = filtered_->getCombiningClass(part);
      if (combining_class == 0) {
        marks.resize(before);
        return false;
      }
      marks.push_back({static_cast<char32_t>(part), combining_class});
    }
    return true;
  }

  /// Decomposes and sorts runs of more than `long_run` marks: a canonically equivalent text that ICU takes in its
  /// stride. Within such a run bytes are aligned in proportion.
  AlignedText sort_long_runs(AlignedText text) const {
    AlignedEdit edit(text);
    std::vector<Mark> marks;
    bool any = false;
    for (std::size_t at = 0; at < text.text.size();) {
      const std::size_t begin = at;
      marks.clear();
      utf8::Decoded next;
      do {
        next = utf8::decode_valid(text.text, at);
        if (!append_marks(next.code_point, marks)) break;
        at += next.length;
      } while (at < text.text.size());
      if (marks.size() > long_run) {
        std::stable_sort(marks.begin(), marks.end(),
                         [](const Mark& a, const Mark& b) { return a.combining_class < b.combining_class; });
        std::string sorted;
        for (const Mark& mark : marks) utf8::append(sorted, mark.code_point);
        edit.keep_to(begin);
        edit.replace_to(at, sorted);
        any = true;
      }
      if (at < text.text.size()) at += next.length;
    }
    return any ? edit.finish() : std::move(text);
  }

  icu::UnicodeSet known_;
  std::unique_ptr<icu::FilteredNormalizer2> filtered_;
};

}  // namespace

NormalizerPtr make_nfc() { return std::make_unique<Nfc>(); }

}  // namespace kvmend
