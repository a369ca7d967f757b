#pragma once
// Resampling by question, shared by everything that needs draws: means, differences, gap ratios.
#include <vector>

#include "eval/statistics.h"

namespace kvmend {

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

/// The middle 95 % of draws, one at least, which it reorders; of draws with infinities the ends may be infinite.
Interval percentile_interval(std::vector<double>& draws);

/// Bias-corrected and accelerated (Efron 1987; DiCiccio, Efron 1996, §2): `influence` holds each question's share in the
/// estimate's error, over all tasks. Reorders the draws. nullopt where every draw lies on one side of the estimate.
std::optional<Interval> bca_interval(std::vector<double>& draws, double estimate, const std::vector<double>& influence);

/// Each question's first-order share in the error of the task's mean: (sum − mean · count) / total.
std::vector<double> influence_of(const QuestionSums& questions);

}  // namespace kvmend
