#include <fmt/ranges.h>

#include "eval/jieba.h"
#include "eval/metrics/scores.h"
#include "eval/text.h"

namespace kvmend {
namespace {

/// Jieba's words, each normalised; those that nothing is left of are dropped.
std::vector<std::string> normalized_words(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& word : Jieba::standard().cut(text)) {
    std::string normal = normalize_chinese(word);
    if (!normal.empty()) out.push_back(std::move(normal));
  }
  return out;
}

std::string spaced_words(std::string_view text) {
  return fmt::format("{}", fmt::join(Jieba::standard().cut(text), " "));
}

}  // namespace

void check_chinese() { Jieba::standard(); }

double f1_zh(std::string_view prediction, const References& references, const References&) {
  const auto predicted = normalized_words(prediction);
  return best_over(references,
                   [&](const std::string& reference) { return f1_of(predicted, normalized_words(reference)); });
}

double rouge_l_zh(std::string_view prediction, const References& references, const References& classes) {
  References spaced;
  for (const auto& reference : references) spaced.push_back(spaced_words(reference));
  return rouge_l(spaced_words(prediction), spaced, classes);
}

}  // namespace kvmend
