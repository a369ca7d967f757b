#pragma once
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace kvmend {

/// Chinese word segmentation as the Python package jieba 0.42.1 does it in accurate mode with its hidden Markov model:
/// the most probable path through the words of a dictionary, then Viterbi over runs of single characters. With jieba's
/// own dictionary and tables the words are the same.
class Jieba {
 public:
  /// Reads dict.txt ("word frequency tag" a line) and prob_start.py, prob_trans.py, prob_emit.py (here or in finalseg/):
  /// the layout of the package, or of `kvmend fetch jieba`. Throws Error(data) naming what is missing or malformed.
  explicit Jieba(const std::filesystem::path& folder);

  /// The words in order; joined they are the text (invalid UTF-8 becomes U+FFFD). White space is words, too.
  std::vector<std::string> cut(std::string_view text) const;

  /// From $KVMEND_JIEBA, else from jieba/ in fetched_data_dir() (core/data_dir.h); read once. Throws Error(data) saying how to get it.
  static const Jieba& standard();

 private:
  using Text = std::u32string_view;
  using Words = std::vector<std::u32string_view>;
  enum State : std::size_t { begin, end, middle, single };  ///< as jieba orders their letters: B, E, M, S
  static constexpr std::size_t n_states = 4;
  static constexpr double never = -3.14e100;  ///< jieba's logarithm of a probability of 0

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::u32string_view text) const { return std::hash<std::u32string_view>{}(text); }
  };

  void read_dictionary(const std::filesystem::path& path);
  void read_tables(const std::filesystem::path& folder);
  std::int64_t frequency(Text word) const;  ///< 0: unknown, or only the beginning of words
  std::vector<std::size_t> best_ends(Text block) const;
  void cut_block(Text block, Words& out) const;
  void cut_unknown(Text run, Words& out) const;
  void cut_hidden(Text run, Words& out) const;

  std::unordered_map<std::u32string, std::int64_t, Hash, std::equal_to<>> words_;
  double log_total_ = 0;
  std::array<double, n_states> start_{};
  std::array<std::array<double, n_states>, n_states> step_{};  ///< [from][to]
  std::array<std::unordered_map<char32_t, double>, n_states> emit_;
};

}  // namespace kvmend
