#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "model/tokenizer/aligned_text.h"

namespace kvmend {

/// A split pattern of a tokenizer file. Its dialect is Oniguruma's (Ruby's), ours runs on PCRE2; what both know means
/// the same here: \s is White_Space, \p{L} and \p{N} are those of Unicode 16 whatever PCRE2 is installed (other
/// classes are as new as that PCRE2), ^ and $ match at lines. What the two read differently is refused.
class Pattern {
 public:
  /// Throws Error(data) naming `where` for a pattern that is malformed or uses what we do not translate.
  Pattern(std::string_view expression, const std::string& where);
  /// Matches the literal text.
  static Pattern literal(std::string_view text, const std::string& where);

  /// The search state of one thread.
  class Matcher {
   public:
    explicit Matcher(const Pattern& pattern);
    /// First match in text at or behind `from`; false: none. Throws Error(data) if the pattern backtracks without end.
    bool find(std::string_view text, std::size_t from, TextRange& match);

   private:
    struct State;
    struct Free {
      void operator()(State* state) const;
    };
    const Pattern& pattern_;
    std::unique_ptr<State, Free> state_;
  };

 private:
  struct Code;
  std::shared_ptr<const Code> code_;
};

/// The same expression for PCRE2. Throws Error(data) naming `where`.
std::string translate_pattern(std::string_view expression, const std::string& where);

}  // namespace kvmend
