#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kvmend {

class Prose;

/// Running text to hide needles in: words one space apart. Generated (never repeats), or a file's text with its white
/// space collapsed (repeats when exhausted).
class Essay {
 public:
  /// The built-in text: the same for every task and seed, as one published book would be.
  static std::unique_ptr<Essay> generated();
  /// Throws Error(data) for a file without a word or with invalid UTF-8.
  static std::unique_ptr<Essay> from_file(const std::filesystem::path& path);
  ~Essay();

  /// Makes at least this many words available. The only method that changes anything.
  void reserve(int words);
  /// The first `words` words; reserve() comes first.
  std::string_view text(int words) const;
  /// Ends of the sentences of text(words); the last one may be cut short.
  std::vector<std::size_t> sentences(int words) const;
  /// For Task::data_identity: "prose v1" or "NAME sha256:…".
  const std::string& identity() const { return identity_; }

 private:
  Essay();
  void append(std::string_view words);

  std::string identity_;
  std::string source_;            ///< a file's collapsed text, empty when generated
  std::unique_ptr<Prose> prose_;  ///< the generator, null for a file
  std::string text_;
  std::vector<std::size_t> word_ends_, sentence_ends_;
};

}  // namespace kvmend
