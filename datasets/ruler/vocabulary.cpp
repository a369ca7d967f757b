#include "datasets/ruler/vocabulary.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "datasets/ruler/words.h"
#include "eval/text.h"

namespace kvmend {

Vocabulary Vocabulary::built_in() {
  Vocabulary out;
  std::set<std::string> words;
  for (const auto& list : {needle_adjectives(), needle_nouns()}) words.insert(list.begin(), list.end());
  out.words_.assign(words.begin(), words.end());
  out.joins_ = true;
  constexpr int plenty = 200000;  // of over a million pairs: drawing distinct ones stays quick
  out.size_ = plenty;
  out.identity_ = "words v1";
  return out;
}

Vocabulary Vocabulary::from_file(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  utf8::check(bytes, path.string());
  Vocabulary out;
  std::set<std::string> words;
  for (auto& word : split_spaces(bytes)) words.insert(std::move(word));
  constexpr std::size_t fewest = 100;
  if (words.size() < fewest) {
    fail(ErrorKind::data, "{}: {} different words; at least {} are needed", path.string(), words.size(), fewest);
  }
  out.words_.assign(words.begin(), words.end());
  out.size_ = static_cast<int>(out.words_.size());
  out.identity_ = path.filename().string() + " sha256:" + sha256(bytes);
  return out;
}

std::vector<std::string> Vocabulary::draw(int n, Random& random) const {
  require(n <= size_, "Vocabulary: {} of {} words", n, size_);
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(n));
  std::vector<int> order(words_.size());
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = 0; i < order.size() && static_cast<int>(out.size()) < n; ++i) {
    std::swap(order[i], order[i + static_cast<std::size_t>(random.below(order.size() - i))]);
    out.push_back(words_[static_cast<std::size_t>(order[i])]);
  }
  if (static_cast<int>(out.size()) == n) return out;
  std::unordered_set<std::string> taken(out.begin(), out.end());
  while (static_cast<int>(out.size()) < n) {
    const std::string& first = random.pick(words_);
    std::string word = first + random.pick(words_);
    if (taken.insert(word).second) out.push_back(std::move(word));
  }
  return out;
}

}  // namespace kvmend
