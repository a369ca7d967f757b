#pragma once
#include <vector>

#include "recompute/selector.h"

namespace kvmend {

/// Scored tokens of a request, taken in windows. Only chunk tokens are ever taken.
struct TokenGroups {
  Request request;
  std::vector<float> scores;  ///< [N]
  std::vector<char> last;     ///< [N] tokens that rank behind the others

  /// Every token of the windows [s, s + window) that begin at a candidate and hold at least `density` candidates; the
  /// candidates are the ⌊ratio · chunk tokens⌋ best, ties by lower index. A window ends with its chunk; a chunk shorter
  /// than `density` needs all its tokens. Sorted.
  std::vector<int> dense_windows(double ratio, int window, int density) const;
  /// Every window of every chunk by its sum of scores, ties by index.
  std::vector<std::vector<int>> windows_by_score(int window) const;
};

/// Context tokens of `to` whose bytes overlap those of the given tokens of `from`: two tokenisations of one text. Sorted.
std::vector<int> overlapping_tokens(const Request& from, const std::vector<int>& tokens, const Request& to);

/// [N of `to`]: the largest score among the tokens of `from` that overlap it; 0 where there is none above 0.
std::vector<float> overlapping_scores(const Request& from, const std::vector<float>& scores, const Request& to);

}  // namespace kvmend
