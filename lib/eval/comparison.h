#pragma once
// Two strategies on the same samples: how far apart, how surely, and what could have been seen at all.
#include "eval/statistics.h"

namespace kvmend {

/// What two strategies scored on the samples of one task that both have.
struct PairedTask {
  std::vector<double> a, b;
  std::vector<std::string> clusters;  ///< questions, [a.size()] = [b.size()]
};

struct Comparison {
  Estimate difference;    ///< mean of the tasks' mean a − b; n: pairs; interval as BootstrapOptions asks
  double p = 1;           ///< two-sided permutation test
  double p_holm = 1;      ///< set by holm_correct
  bool exact = false;     ///< every permutation was counted
  double effect = 0;      ///< Cohen's d_z: difference / standard deviation of the questions' differences
  double detectable = 0;  ///< smallest true difference found with 80 % power at 5 %; NaN below two questions a task
  int wins = 0, losses = 0, ties = 0;  ///< samples on which a scored more, less, the same

  bool distinguishable() const { return p_holm < 0.05; }
};

/// Resampling and permuting go by question within each task. The test swaps a and b question by question (Fisher; Good
/// 2005, §3.7): every pattern of signs where at most 2^13 are possible, else options.draws random ones, p = (hits + 1) /
/// (draws + 1). `effect` divides by the root of the tasks' mean variance; 0 where nothing differs. `detectable` is
/// (z_0.975 + z_0.8) standard errors; where no sample of a task differs, the error is what the largest share of differing
/// questions that is still compatible with that at 95 % (1 − 0.05^(1/n)) would give. No pairs: n = 0 and NaN.
Comparison compare_paired(std::span<const PairedTask> tasks, const BootstrapOptions& options = {});

/// Holm's step-down correction (1979) over exactly these comparisons.
void holm_correct(std::span<Comparison*> family);

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
