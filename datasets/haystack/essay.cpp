#include "datasets/haystack/essay.h"

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "datasets/haystack/prose.h"
#include "datasets/sentences.h"
#include "eval/text.h"

namespace kvmend {
Essay::Essay() = default;
Essay::~Essay() = default;

std::unique_ptr<Essay> Essay::generated() {
  std::unique_ptr<Essay> essay(new Essay);
  constexpr std::uint64_t book = 1;  // changing it makes other text: raise Prose::version with it
  essay->prose_ = std::make_unique<Prose>(book);
  essay->identity_ = "prose v" + std::to_string(Prose::version);
  return essay;
}

std::unique_ptr<Essay> Essay::from_file(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  utf8::check(bytes, path.string());
  std::unique_ptr<Essay> essay(new Essay);
  essay->source_ = collapse_spaces(bytes);
  if (essay->source_.empty()) fail(ErrorKind::data, "{}: no text in it", path.string());
  essay->identity_ = path.filename().string() + " sha256:" + sha256(bytes);
  return essay;
}

void Essay::reserve(int words) {
  while (word_ends_.size() < static_cast<std::size_t>(words)) append(prose_ ? prose_->paragraph() : source_);
}

void Essay::append(std::string_view words) {
  if (!text_.empty()) text_ += ' ';
  const std::size_t begin = text_.size();
  text_ += words;
  for (const std::size_t end : sentence_ends(words)) sentence_ends_.push_back(begin + end);
  for (std::size_t at = begin; at < text_.size();) {
    at = std::min(text_.find(' ', at), text_.size());
    word_ends_.push_back(at);
    ++at;
  }
}

std::string_view Essay::text(int words) const {
  if (words <= 0) return {};
  require(static_cast<std::size_t>(words) <= word_ends_.size(), "Essay: {} words of {}", words, word_ends_.size());
  return std::string_view(text_).substr(0, word_ends_[static_cast<std::size_t>(words) - 1]);
}

std::vector<std::size_t> Essay::sentences(int words) const {
  const std::size_t length = text(words).size();
  const auto end = std::lower_bound(sentence_ends_.begin(), sentence_ends_.end(), length);
  std::vector<std::size_t> out(sentence_ends_.begin(), end);
  if (length > 0) out.push_back(length);
  return out;
}

}  // namespace kvmend
