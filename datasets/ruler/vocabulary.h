#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"

namespace kvmend {

/// Words to count. The built-in ones are everyday words; behind them stand two joined ("moonharbor"), so that there are
/// enough for any length.
class Vocabulary {
 public:
  static Vocabulary built_in();
  /// A file's words, white space between them. Throws Error(data) for one with under 100 different words.
  static Vocabulary from_file(const std::filesystem::path& path);

  /// n different words. The first k of them are the same for every n ≥ k and the same random state.
  std::vector<std::string> draw(int n, Random& random) const;
  /// How many there are.
  int size() const { return size_; }
  const std::string& identity() const { return identity_; }  ///< for Task::data_identity

 private:
  std::vector<std::string> words_;
  bool joins_ = false;
  int size_ = 0;
  std::string identity_;
};

}  // namespace kvmend
