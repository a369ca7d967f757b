// Oniguruma's pattern dialect (Ruby syntax), as far as tokenizer files use it, written for PCRE2.
#include <fmt/format.h>

#include <cctype>

#include "core/error.h"
#include "model/in_quotes.h"
#include "model/tokenizer/pattern.h"
#include "model/tokenizer/unicode.h"

namespace kvmend {
namespace {

class Translator {
 public:
  Translator(std::string_view in, const std::string& where) : in_(in), where_(where) {}

  std::string run() {
    while (at_ < in_.size()) {
      const char c = in_[at_];
      if (c == '\\') {
        escape();
      } else if (in_class_) {
        class_char(c);
      } else {
        plain_char(c);
      }
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    fail(ErrorKind::data,
         "{}: the pattern {} has {} at byte {}, which Oniguruma and PCRE2 read differently; known: literals, "
         "classes, groups, look-around, (?i:…), quantifiers, \\p{{…}}, \\s, \\S, \\d, \\w, \\r, \\n, \\t, \\x",
         where_, in_quotes(in_), what, at_);
  }

  void plain_char(char c) {
    if (c == '[') {
      in_class_ = true;
      copy(1);
      if (at_ < in_.size() && in_[at_] == '^') copy(1);
      if (at_ < in_.size() && in_[at_] == ']') refuse("a class that begins with ']'");
      return;
    }
    if (c == '}' && at_ + 1 < in_.size() && in_[at_ + 1] == '+') refuse("'+' behind an interval");
    if (c == '(' && in_.substr(at_, 3) == "(?m") refuse("the option m");
    if (c == '(' && in_.substr(at_, 3) == "(?<" && at_ + 3 < in_.size() && in_[at_ + 3] != '=' && in_[at_ + 3] != '!') {
      refuse("a named group");
    }
    copy(1);
  }

  void class_char(char c) {
    if (c == '[') refuse("a class within a class");
    if (c == '&' && in_.substr(at_, 2) == "&&") refuse("an intersection of classes");
    if (c == ']') in_class_ = false;
    copy(1);
  }

  void escape() {
    if (at_ + 1 >= in_.size()) refuse("a lone backslash");
    const char c = in_[at_ + 1];
    if (c == 's' || c == 'S') return ranges(2, c == 's' ? unicode::white_space() : unicode::not_white_space());
    if (c == 'w') return ranges(2, R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})");
    if (c == 'p' || c == 'P') return property(c == 'P');
    if (c == 'x' && at_ + 2 < in_.size() && in_[at_ + 2] == '{') return copy(in_.find('}', at_) + 1 - at_);
    if (c == 'x' || c == 'd' || c == 'D' || c == 'r' || c == 'n' || c == 't') return copy(2);
    if (c == 'b' && !in_class_) refuse("the escape \\b");
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) refuse(fmt::format("the escape \\{}", c));
    copy(2);
  }

  void property(bool negated) {
    const std::size_t close = in_.find('}', at_);
    if (at_ + 2 >= in_.size() || in_[at_ + 2] != '{' || close == std::string_view::npos)
      refuse("a property without a name");
    const std::string name(in_.substr(at_ + 3, close - at_ - 3));
    const std::size_t length = close + 1 - at_;
    const bool letters = name == "L" || name == "Letter";
    if (!letters && name != "N" && name != "Number") return copy(length);
    // PCRE2 has no difference of classes, so \P{L} inside one keeps the letters its own Unicode does not know.
    if (negated && in_class_) return copy(length);
    const std::string set = fmt::format("\\p{{{}}}{}", letters ? "L" : "N",
                                        letters ? unicode::letters_since_15() : unicode::numbers_since_15());
    ranges(length, negated ? "^" + set : set);
  }

  /// Writes a set in place of the next `length` bytes: as a class of its own, or into the class we are in.
  void ranges(std::size_t length, std::string_view set) {
    if (in_class_) {
      if (at_ + length + 1 < in_.size() && in_[at_ + length] == '-' && in_[at_ + length + 1] != ']')
        refuse("a range from a class");
      out_ += set;
    } else {
      out_ += fmt::format("[{}]", set);
    }
    at_ += length;
  }

  void copy(std::size_t length) {
    out_ += in_.substr(at_, length);
    at_ += length;
  }

  std::string_view in_;
  const std::string& where_;
  std::string out_;
  std::size_t at_ = 0;
  bool in_class_ = false;
};

}  // namespace

std::string translate_pattern(std::string_view expression, const std::string& where) {
  return Translator(expression, where).run();
}

}  // namespace kvmend
