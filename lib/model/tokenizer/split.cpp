// Splitting at the matches of a pattern, with the published five behaviours.
#include <fmt/format.h>

#include "core/utf8.h"
#include "model/tokenizer/pre_tokenizer.h"

namespace kvmend {
namespace {

struct Part {
  TextRange range;
  bool match = false;
};

class Split final : public PreTokenizer {
 public:
  Split(Pattern pattern, std::string description, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), description_(std::move(description)), behavior_(behavior), invert_(invert) {}

  void apply(PreTokens& tokens) const override {
    Pattern::Matcher matcher(pattern_);
    std::vector<TextRange> pieces;
    pieces.reserve(tokens.pieces.size() + tokens.text.text.size() / 4);
    std::vector<Part> parts;
    for (const TextRange piece : tokens.pieces) {
      const auto text = std::string_view(tokens.text.text).substr(piece.begin, piece.end - piece.begin);
      parts.clear();
      find_parts(matcher, text, parts);
      join(parts, piece.begin, pieces);
    }
    tokens.pieces = std::move(pieces);
  }

  std::string describe() const override {
    return fmt::format("split({},{},{})", description_, static_cast<int>(behavior_), invert_);
  }

 private:
  /// The whole text as matches and what lies between them.
  void find_parts(Pattern::Matcher& matcher, std::string_view text, std::vector<Part>& parts) const {
    std::uint32_t done = 0;
    std::size_t from = 0;
    TextRange match;
    while (from < text.size() && matcher.find(text, from, match)) {
      const bool empty = match.begin == match.end;
      if (match.begin > done) parts.push_back({{done, match.begin}, invert_});
      // An empty match right behind another match does not count.
      if (!empty || done == 0 || match.begin > done) parts.push_back({match, !invert_});
      done = match.end;
      from = match.end;
      if (empty) from = utf8::ceil_boundary(text, from + 1);
    }
    if (done < text.size()) parts.push_back({{done, static_cast<std::uint32_t>(text.size())}, invert_});
  }

  void join(const std::vector<Part>& parts, std::uint32_t offset, std::vector<TextRange>& pieces) const {
    const std::size_t first = pieces.size();
    const auto add = [&](TextRange r) { pieces.push_back({r.begin + offset, r.end + offset}); };
    const auto extend = [&](TextRange r) { pieces.back().end = r.end + offset; };
    bool previous = false;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto [range, match] = parts[i];
      const bool has_previous = pieces.size() > first;
      switch (behavior_) {
        case SplitBehavior::isolated: add(range); break;
        case SplitBehavior::removed:
          if (!match) add(range);
          break;
        case SplitBehavior::contiguous: match == previous&& has_previous ? extend(range) : add(range); break;
        case SplitBehavior::merged_with_previous:
          match && !previous && has_previous ? extend(range) : add(range);
          break;
        case SplitBehavior::merged_with_next: {
          // The last match before other text joins it; matches before that one stand alone.
          const bool joins = i > 0 && parts[i - 1].match && !match;
          joins ? extend(range) : add(range);
          break;
        }
      }
      previous = match;
    }
    drop_empty(first, pieces);
  }

  static void drop_empty(std::size_t first, std::vector<TextRange>& pieces) {
    std::size_t kept = first;
    for (std::size_t i = first; i < pieces.size(); ++i) {
      if (pieces[i].begin < pieces[i].end) pieces[kept++] = pieces[i];
    }
    pieces.resize(kept);
  }

  Pattern pattern_;
  std::string description_;
  SplitBehavior behavior_;
  bool invert_;
};

}  // namespace

PreTokenizerPtr make_split(Pattern pattern, std::string description, SplitBehavior behavior, bool invert) {
  return std::make_unique<Split>(std::move(pattern), std::move(description), behavior, invert);
}

}  // namespace kvmend
