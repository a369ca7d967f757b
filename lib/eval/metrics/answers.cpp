#include <array>
#include <map>
#include <set>

#include "eval/metrics/scores.h"
#include "eval/text.h"

namespace kvmend {
namespace {

/// English words that carry no content of their own; articles are gone already.
bool is_function_word(const std::string& word) {
  static const std::set<std::string> words = {
      "about",  "after", "all",  "also", "am",    "and",  "any",  "are",   "as",    "at",    "be",    "been",
      "before", "being", "but",  "by",   "can",   "did",  "do",   "does",  "for",   "from",  "had",   "has",
      "have",   "he",    "her",  "him",  "his",   "how",  "i",    "if",    "in",    "into",  "is",    "it",
      "its",    "me",    "my",   "no",   "not",   "of",   "off",  "on",    "or",    "our",   "out",   "she",
      "so",     "some",  "than", "that", "their", "them", "then", "there", "these", "they",  "this",  "those",
      "to",     "too",   "up",   "us",   "was",   "we",   "were", "what",  "when",  "where", "which", "who",
      "whom",   "why",   "will", "with", "would", "you",  "your"};
  return words.contains(word);
}

std::set<std::string> keywords(const std::string& text) {
  std::set<std::string> all, content;
  for (const auto& word : split_spaces(normalize_answer(text))) {
    all.insert(word);
    if (!is_function_word(word)) content.insert(word);
  }
  return content.empty() ? all : content;
}

}  // namespace

double f1_of(const std::vector<std::string>& predicted, const std::vector<std::string>& expected) {
  std::map<std::string, int> left;
  for (const auto& word : expected) ++left[word];
  int common = 0;
  for (const auto& word : predicted) {
    const auto found = left.find(word);
    if (found == left.end() || found->second == 0) continue;
    --found->second;
    ++common;
  }
  if (common == 0) return 0;
  const double precision = static_cast<double>(common) / static_cast<double>(predicted.size());
  const double recall = static_cast<double>(common) / static_cast<double>(expected.size());
  return 2 * precision * recall / (precision + recall);
}

double f1(std::string_view prediction, const References& references, const References&) {
  const auto predicted = split_spaces(normalize_answer(prediction));
  return best_over(references, [&](const std::string& reference) {
    return f1_of(predicted, split_spaces(normalize_answer(reference)));
  });
}

double exact_match(std::string_view prediction, const References& references, const References&) {
  const std::string predicted = normalize_answer(prediction);
  return best_over(references,
                   [&](const std::string& reference) { return predicted == normalize_answer(reference) ? 1.0 : 0.0; });
}

double substring(std::string_view prediction, const References& references, const References&) {
  const std::string predicted = normalize_answer(prediction);
  return best_over(references, [&](const std::string& reference) {
    const std::string expected = normalize_answer(reference);
    return !expected.empty() && predicted.find(expected) != std::string::npos ? 1.0 : 0.0;
  });
}

double keyword_recall(std::string_view prediction, const References& references, const References&) {
  const auto words = split_spaces(normalize_answer(prediction));
  const std::set<std::string> predicted(words.begin(), words.end());
  return best_over(references, [&](const std::string& reference) {
    const auto expected = keywords(reference);
    if (expected.empty()) return 0.0;
    double found = 0;
    for (const auto& word : expected) found += predicted.contains(word) ? 1 : 0;
    return found / static_cast<double>(expected.size());
  });
}

}  // namespace kvmend
