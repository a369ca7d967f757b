#include "datasets/haystack/grammar.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace kvmend {
namespace {

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

std::vector<std::string> split_alternatives(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('|', at), text.size());
    out.push_back(trimmed(text.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

/// Rules with their continuation lines joined.
std::vector<std::string> logical_lines(std::string_view rules) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < rules.size();) {
    const std::size_t end = std::min(rules.find('\n', at), rules.size());
    const std::string_view line = rules.substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
    if (line.front() == ' ' && !out.empty()) {
      out.back() += line;
    } else {
      out.emplace_back(line);
    }
  }
  return out;
}

}  // namespace

Grammar::Grammar(std::string_view rules, Random random) : random_(random) {
  for (const auto& line : logical_lines(rules)) {
    const auto colon = line.find(':');
    require(colon != std::string::npos, "grammar: no ':' in '{}'", line);
    std::string symbol = trimmed(std::string_view(line).substr(0, colon));
    Rule rule;
    if (symbol.ends_with('!')) {
      symbol.pop_back();
      rule.dealt = true;
    }
    rule.alternatives = split_alternatives(std::string_view(line).substr(colon + 1));
    const auto dot = symbol.find('.');
    if (dot != std::string::npos && symbol.substr(dot) == ".noun") topics_.push_back(symbol.substr(0, dot));
    require(rules_.emplace(symbol, std::move(rule)).second, "grammar: two rules for '{}'", symbol);
  }
  check();
}

void Grammar::check() const {
  const auto defined = [&](const std::string& symbol) { return rules_.contains(symbol); };
  for (const auto& [name, rule] : rules_) {
    for (const auto& text : rule.alternatives) {
      require(!text.empty(), "grammar: an empty alternative in '{}'", name);
      for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos;) {
        const std::size_t end = text.find('>', at);
        require(end != std::string::npos, "grammar: no '>' in '{}'", text);
        std::string symbol = text.substr(at + 1, end - at - 1);
        if (symbol.size() > 2 && symbol[1] == '=') symbol.erase(0, 2);
        if (symbol.starts_with('.')) {
          for (const auto& topic : topics_) require(defined(topic + symbol), "grammar: no rule '{}{}'", topic, symbol);
        } else {
          require(defined(symbol), "grammar: no rule '{}' (used in '{}')", symbol, name);
        }
        at = end;
      }
    }
  }
}

void Grammar::begin_paragraph(const std::string& topic) {
  remembered_.clear();
  topic_ = topic;
}

std::string Grammar::resolve(std::string_view symbol) const {
  return symbol.starts_with('.') ? topic_ + std::string(symbol) : std::string(symbol);
}

const std::string& Grammar::choose(Rule& rule) {
  if (!rule.dealt) return random_.pick(rule.alternatives);
  if (rule.deck.empty()) {
    for (std::size_t i = 0; i < rule.alternatives.size(); ++i) rule.deck.push_back(i);
    random_.shuffle(rule.deck);
  }
  const std::size_t card = rule.deck.back();
  rule.deck.pop_back();
  return rule.alternatives[card];
}

void Grammar::append(std::string& out, const std::string& symbol) {
  const auto found = rules_.find(symbol);
  require(found != rules_.end(), "grammar: no rule '{}'", symbol);
  const std::string text = choose(found->second);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = std::min(text.find('<', at), text.size());
    out.append(text, at, open - at);
    if (open == text.size()) break;
    const std::size_t close = text.find('>', open);
    const std::string_view inner = std::string_view(text).substr(open + 1, close - open - 1);
    at = close + 1;
    if (inner.size() > 2 && inner[1] == '=') {
      const auto [slot, fresh] = remembered_.try_emplace(inner[0]);
      if (fresh) append(slot->second, resolve(inner.substr(2)));
      out += slot->second;
    } else {
      append(out, resolve(inner));
    }
  }
}

std::string Grammar::expand(const std::string& symbol) {
  std::string out;
  append(out, symbol);
  return choose_articles(out);
}

std::string choose_articles(std::string_view text) {
  static constexpr std::array<std::string_view, 6> spoken_vowel = {"hour", "honest", "heir", "honour", "honor", "herb"};
  static constexpr std::array<std::string_view, 8> spoken_consonant = {"use",  "usual", "uniform", "one ",
                                                                       "once", "eu",    "ewe",     "unanimous"};
  const auto begins_with = [](std::string_view word, const auto& list) {
    return std::any_of(list.begin(), list.end(), [&](std::string_view start) { return word.starts_with(start); });
  };
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (!text.substr(at).starts_with("a(n) ")) {
      out += text[at++];
      continue;
    }
    const std::string_view word = text.substr(at + 5);
    const bool vowel = std::string_view("aeiouAEIOU").find(word.substr(0, 1)) != std::string_view::npos;
    const bool an = vowel ? !begins_with(word, spoken_consonant) : begins_with(word, spoken_vowel);
    out += an ? "an " : "a ";
    at += 5;
  }
  return out;
}

}  // namespace kvmend
