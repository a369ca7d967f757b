#include <cstdint>
#include <map>
#include <set>

#include "eval/metrics/scores.h"
#include "eval/text.h"

namespace kvmend {
namespace {

using Words = std::vector<int>;  ///< numbers of words, the same word the same number

/// Texts as sentences of numbered words.
class Sentences {
 public:
  std::vector<Words> read(std::string_view text) {
    std::vector<Words> out;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('.', at), text.size());
      // A sentence of spaces only is one empty word, as "".split(" ") is in Python; nothing at all is no sentence.
      if (end > at) out.push_back(number(text.substr(at, end - at)));
      at = end + 1;
    }
    return out;
  }

 private:
  Words number(std::string_view sentence) {
    std::vector<std::string> words = split_spaces(sentence);
    if (words.empty()) words.emplace_back();
    Words out;
    for (const auto& word : words)
      out.push_back(numbers_.try_emplace(word, static_cast<int>(numbers_.size())).first->second);
    return out;
  }
  std::map<std::string, int> numbers_;
};

/// Adds the words of one longest common subsequence, walked back as the package does: at a tie it drops y's word.
void add_common(const Words& x, const Words& y, std::set<int>& out) {
  const std::size_t columns = y.size() + 1;
  std::vector<std::uint32_t> length((x.size() + 1) * columns, 0);
  for (std::size_t i = 1; i <= x.size(); ++i) {
    for (std::size_t j = 1; j <= y.size(); ++j) {
      length[i * columns + j] = x[i - 1] == y[j - 1]
                                    ? length[(i - 1) * columns + j - 1] + 1
                                    : std::max(length[(i - 1) * columns + j], length[i * columns + j - 1]);
    }
  }
  for (std::size_t i = x.size(), j = y.size(); i > 0 && j > 0;) {
    if (x[i - 1] == y[j - 1]) {
      out.insert(x[i - 1]);
      --i, --j;
    } else if (length[(i - 1) * columns + j] > length[i * columns + j - 1]) {
      --i;
    } else {
      --j;
    }
  }
}

double unique_words(const std::vector<Words>& sentences) {
  std::set<int> words;
  for (const auto& sentence : sentences) words.insert(sentence.begin(), sentence.end());
  return static_cast<double>(words.size());
}

double rouge_l_of(std::string_view prediction, std::string_view reference) {
  Sentences sentences;
  const auto predicted = sentences.read(prediction), expected = sentences.read(reference);
  if (predicted.empty() || expected.empty()) return 0;
  std::set<int> common;
  for (const auto& sentence : expected) {
    for (const auto& other : predicted) add_common(sentence, other, common);
  }
  const double recall = static_cast<double>(common.size()) / unique_words(expected);
  const double precision = static_cast<double>(common.size()) / unique_words(predicted);
  return 2.0 * ((precision * recall) / (precision + recall + 1e-8));
}

}  // namespace

double rouge_l(std::string_view prediction, const References& references, const References&) {
  return best_over(references, [&](const std::string& reference) { return rouge_l_of(prediction, reference); });
}

}  // namespace kvmend
