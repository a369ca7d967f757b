#pragma once
// Two strategies on the same samples: how far apart, how surely, and what could have been seen at all.
#include "eval/statistics.h"

namespace kvmend {

/// What two strategies scored on the samples of one task that both have.
struct PairedTask {
  std::vector<double> a, b;
  std::vector<std::string> clusters;  ///< questions, [a.size()] = [b.size()]
};

/// Differences are called so from this p on down.
inline constexpr double significant = 0.05;

struct Comparison {
  Estimate difference;    ///< mean of the tasks' mean a − b; n: pairs; interval as BootstrapOptions asks
  double p = 1;           ///< two-sided permutation test
  double p_holm = 1;      ///< set by holm_correct
  bool exact = false;     ///< every permutation was counted
  double effect = 0;      ///< Cohen's d_z: difference / standard deviation of the questions' differences
  double detectable = 0;  ///< smallest true difference found with 80 % power at 5 %; NaN below two questions a task
  int wins = 0, losses = 0, ties = 0;  ///< samples on which a scored more, less, the same

  bool distinguishable() const { return p_holm < significant; }
};

/// Resampling and permuting go by question within each task. The test swaps a and b question by question (Fisher; Good
/// 2005, §3.7): every pattern of signs where at most 2^13 are possible, else options.draws random ones, p = (hits + 1) /
/// (draws + 1). `effect` divides by the root of the tasks' mean variance; 0 where nothing differs. `detectable` is
/// (z_0.975 + z_0.8) standard errors; where no sample of a task differs, the error is what the largest share of differing
/// questions that is still compatible with that at 95 % (1 − 0.05^(1/n)) would give. No pairs: n = 0 and NaN.
Comparison compare_paired(std::span<const PairedTask> tasks, const BootstrapOptions& options = {});

/// Holm's step-down correction (1979) over exactly these comparisons.
void holm_correct(std::span<Comparison*> family);

/// Whether a comparison lacks draws and not data: none of the random permutations lay as far out, and the smallest p that so
/// many can show, 1 / (draws + 1), is not significant after Holm's correction over so many `comparisons`. With 10,000 draws
/// that begins at 501. Where all permutations were counted, p is what the data has to say.
bool lacks_draws(const Comparison& comparison, std::size_t comparisons, const BootstrapOptions& options = {});

/// p of a comparison that lacks draws, by 40 for each of the comparisons: the smallest p, corrected, is half of 5 %. `tasks`
/// are those that it was made of. Where Hoeffding's inequality (1963, theorem 2) says that even so many would hardly show one
/// permutation as far out, none is drawn and p is that smallest one.
void draw_more(Comparison& comparison, std::span<const PairedTask> tasks, std::size_t comparisons,
               const BootstrapOptions& options = {});

/// The share of the gap between no context and full prefill that a method keeps (KVShareArena, arXiv 2609.10266):
/// (method − none) / (full − none), each the mean of the tasks' means over samples that all three have.
struct GapRatio {
  std::optional<Estimate> estimate;
  std::string refusal;  ///< why there is none
};
struct GapTask {
  std::vector<double> method, full, none;
  std::vector<std::string> clusters;
};
/// Its interval resamples the triples (percentile, or BCa). Refused where the percentile interval of full − none reaches 0,
/// a ratio over nothing, and where there are too few questions for one.
GapRatio estimate_gap_ratio(std::span<const GapTask> tasks, const BootstrapOptions& options = {});

}  // namespace kvmend
