#pragma once
// Caches of whole prompts, found by what they say: KV cache recycling (arXiv 2512.11851).
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "recompute/engine.h"

namespace kvmend {

/// How a stored prompt is looked up.
enum class Lookup : std::uint8_t {
  nearest,         ///< by sentence embedding; reused only if its tokens are an exact prefix (arXiv 2512.11851)
  longest_prefix,  ///< whatever shares the longest prefix, as far as it goes: what no lookup can beat
};

/// What a lookup found.
struct StoredMatch {
  int nearest = -1;       ///< the stored prompt that lookup put first; −1: nothing is stored
  double similarity = 0;  ///< Lookup::nearest: the cosine
  int used = -1;          ///< the one whose cache is reused; −1: none fits
  int depth = 0;          ///< tokens reused, at most all but the prompt's last
};

/// Prompts in the order they were stored.
class PromptStore {
 public:
  struct Entry {
    std::string id;
    std::vector<std::int32_t> tokens;
    std::vector<float> embedding;  ///< of length 1
  };

  void add(Entry entry) { entries_.push_back(std::move(entry)); }
  const Entry& entry(int i) const { return entries_[static_cast<std::size_t>(i)]; }
  int size() const { return static_cast<int>(entries_.size()); }

  /// Looks at the `neighbours` nearest; the first of them that is an exact prefix is used. Ties: the older one.
  StoredMatch nearest(const std::vector<std::int32_t>& tokens, const std::vector<float>& embedding,
                      int neighbours) const;
  StoredMatch longest_prefix(const std::vector<std::int32_t>& tokens) const;

 private:
  std::vector<Entry> entries_;
};

/// The first `tokens` rows of a cache.
std::shared_ptr<const ChunkCache> leading_rows(const ChunkCache& cache, int tokens);

}  // namespace kvmend
