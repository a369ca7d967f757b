#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kvmend {

struct Interval {
  double lo = 0, hi = 0;
  bool contains(double x) const { return lo <= x && x <= hi; }
};

/// A figure with what a reader needs to trust it. No interval where the data cannot carry one.
struct Estimate {
  double value = 0;
  int n = 0;                         ///< samples
  std::optional<Interval> interval;  ///< 95 %
};

/// The values of one task. values[i] belongs to question clusters[i]: samples of one question (three depths, say) are
/// not independent and are resampled together.
struct TaskValues {
  std::vector<double> values;
  std::vector<std::string> clusters;  ///< [values.size()]
};

/// What values are: it decides what all-equal ones of a task say. Scores lie in 0 to 1, differences of scores in −1 to 1.
enum class Scale : std::uint8_t { score, difference, other };

enum class IntervalMethod : std::uint8_t { percentile, bca };

struct BootstrapOptions {
  int draws = 10'000;
  std::uint64_t seed = 42;
  Scale scale = Scale::score;
  IntervalMethod method = IntervalMethod::percentile;
};

/// The mean of the tasks' means with a 95 % bootstrap interval (percentile, or BCa): questions are drawn with
/// replacement within each task (Efron, Tibshirani 1993, §13.3 and §8.4 for clusters). Scores of a task that are all 0 or
/// all 1 get Wilson's interval over their questions instead (differences that are all 0: its upper end for none, to both
/// sides), and the tasks' intervals, the others' by `method`, are then combined by MOVER (Zou, Donner 2008).
/// No interval for fewer than two questions in a task, or a task whose values are all equal to anything else.
/// Draws depend on the seed, the task's index and its number of questions: cells over the same samples share them.
/// Tasks without values are left out; none at all gives n = 0 and NaN.
Estimate estimate_mean(std::span<const TaskValues> tasks, const BootstrapOptions& options = {});

/// The mean of the tasks' medians; each median's interval is that of the order statistics (exact binomial, at least
/// 95 %), combined by MOVER. No interval for fewer than six values in a task. Where a question has several samples: the
/// values m between which the sign test by question (Larocque 2005: the sum over questions of samples above m less those
/// below, against the root of its squares) does not reject at 5 % by Student's t; seven questions or more.
Estimate estimate_median(std::span<const TaskValues> tasks);

/// Wilson's score interval of a proportion at 95 % (Wilson 1927).
Interval wilson_interval(double proportion, int n);

/// The p-quantile, p in [0, 1], of sorted values, one at least, by linear interpolation between order statistics (Hyndman,
/// Fan 1996, type 7).
double quantile(std::span<const double> sorted, double p);
/// The same of unsorted values, which it reorders.
double select_quantile(std::vector<double>& values, double p);

}  // namespace kvmend
