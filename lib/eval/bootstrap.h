#pragma once
// Resampling by question, shared by everything that needs draws: means, differences, gap ratios.
#include <vector>

#include "eval/statistics.h"

namespace kvmend {

/// SplitMix64 (Steele, Lea, Flood 2014): the same draws on every machine.
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t state) : state_(state) {}
  /// As if next() had been called `n` times.
  void skip(std::uint64_t n) { state_ += n * step; }
  std::uint64_t next() {
    std::uint64_t x = state_ += step;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }
  /// Uniform in [0, n): the high half of a product (its bias, below n / 2^32, is nothing against 10,000 draws).
  std::size_t below(std::size_t n) { return static_cast<std::size_t>((next() >> 32) * n >> 32); }

 private:
  static constexpr std::uint64_t step = 0x9e3779b97f4a7c15ULL;
  std::uint64_t state_;
};

/// A task's values summed by question, questions in the order first met.
struct QuestionSums {
  std::vector<double> sums, counts;  ///< [questions]
  double total = 0;                  ///< of counts
  double mean = 0;                   ///< of the values
};
QuestionSums by_question(const TaskValues& task);

/// The task's mean in each draw: one row of the product of the task's weight matrix (how often each question is drawn,
/// [draws, questions]) with the scores. The matrix depends on the seed, `stream` and the number of questions only, so that
/// everything over the same questions is drawn together. Safe to call from several threads.
std::vector<double> resampled_means(const QuestionSums& questions, std::size_t stream, const BootstrapOptions& options);

/// The middle 95 % of draws (reordered); of draws with infinities the ends may be infinite.
Interval percentile_interval(std::vector<double>& draws);

/// Bias-corrected and accelerated (Efron 1987; DiCiccio, Efron 1996, §2): `influence` holds each question's share in the
/// estimate's error, over all tasks. nullopt where every draw lies on one side of the estimate.
std::optional<Interval> bca_interval(std::vector<double>& draws, double estimate, const std::vector<double>& influence);

/// Each question's first-order share in the error of the task's mean: (sum − mean · count) / total.
std::vector<double> influence_of(const QuestionSums& questions);

}  // namespace kvmend
