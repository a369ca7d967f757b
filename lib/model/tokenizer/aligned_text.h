#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kvmend {

/// Bytes [begin, end) of some text.
struct TextRange {
  std::uint32_t begin = 0, end = 0;
};

/// A text made from the input by normalisation that remembers where each of its bytes came from.
struct AlignedText {
  std::string text;
  std::uint32_t origin = 0;  ///< input offset of text[0] while the text is unchanged
  std::vector<std::uint32_t>
      bounds;  ///< [text.size() + 1] input offset of each boundary, never falling; empty: origin + i

  /// Input offset of the boundary in front of text[at].
  std::uint32_t source(std::size_t at) const {
    return bounds.empty() ? origin + static_cast<std::uint32_t>(at) : bounds[at];
  }
  AlignedText slice(TextRange range) const;
};

/// Builds a changed text from an aligned one, front to back: every input byte is either kept or replaced.
class AlignedEdit {
 public:
  explicit AlignedEdit(const AlignedText& from) : from_(from) {}
  /// Copies everything up to `end` unchanged.
  void keep_to(std::size_t end);
  /// Puts `with` in place of everything up to `end`. Boundaries inside `with` are spread over the bytes replaced;
  /// bytes that vanish go to the text before them.
  void replace_to(std::size_t end, std::string_view with);
  /// Puts `with` here; it stands for no byte of the input.
  void insert(std::string_view with) { replace_to(at_, with); }
  std::size_t at() const { return at_; }
  AlignedText finish();

 private:
  void start_bounds();

  const AlignedText& from_;
  AlignedText out_;
  std::size_t at_ = 0;
  bool changed_ = false;
};

/// The input with each byte that is no part of valid UTF-8 replaced by U+FFFD.
AlignedText read_as_utf8(std::string_view input);

}  // namespace kvmend
