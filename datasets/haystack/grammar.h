#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"

namespace kvmend {

/// A context-free grammar that writes text. One rule a line, "symbol: alternative | alternative"; a line that begins with
/// a space continues the last rule. In an alternative
///   <noun>       is an expansion of `noun`,
///   <.noun>      of `TOPIC.noun`, the paragraph's topic,
///   <2=person>   of `person` the first time in a paragraph, and the same text whenever it comes again,
///   a(n)         is "a" or "an", as the next word asks.
/// A symbol marked with "!" ("frame!: …") deals its alternatives like cards: each once before any comes again.
class Grammar {
 public:
  /// Throws Error(internal) for a symbol that is used and not defined, or an empty rule.
  Grammar(std::string_view rules, Random random);

  /// Names of the topics: X where a rule "X.noun" exists.
  const std::vector<std::string>& topics() const { return topics_; }
  /// Forgets what <2=person> stood for and makes `topic` current.
  void begin_paragraph(const std::string& topic);
  std::string expand(const std::string& symbol);
  Random& random() { return random_; }

 private:
  struct Rule {
    std::vector<std::string> alternatives;
    bool dealt = false;
    std::vector<std::size_t> deck;
  };
  const std::string& choose(Rule& rule);
  void append(std::string& out, const std::string& symbol);
  std::string resolve(std::string_view symbol) const;
  void check() const;

  std::map<std::string, Rule> rules_;
  std::vector<std::string> topics_;
  std::map<char, std::string> remembered_;
  std::string topic_;
  Random random_;
};

/// "a(n) oak" → "an oak", by letter with the usual exceptions (hour, useful).
std::string choose_articles(std::string_view text);

}  // namespace kvmend
