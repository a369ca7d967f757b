#include "eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <unordered_map>

#include "eval/bootstrap.h"
#include "eval/normal.h"

namespace kvmend {
namespace {

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

bool all_equal(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); });
}

/// The interval of a mean of independent estimates from theirs: the distances add up in squares.
Interval combine(const std::vector<double>& values, const std::vector<Interval>& intervals) {
  double below = 0, above = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    below += (values[i] - intervals[i].lo) * (values[i] - intervals[i].lo);
    above += (intervals[i].hi - values[i]) * (intervals[i].hi - values[i]);
  }
  const auto n = static_cast<double>(values.size());
  return {mean_of(values) - std::sqrt(below) / n, mean_of(values) + std::sqrt(above) / n};
}

/// What n questions that all gave the same value say of their mean.
std::optional<Interval> constant_interval(double value, std::size_t n, Scale scale) {
  if (scale == Scale::other) return std::nullopt;
  const Interval right = wilson_interval(1, static_cast<int>(n)), wrong = wilson_interval(0, static_cast<int>(n));
  if (value == 1) return right;
  if (value == 0) return scale == Scale::score ? wrong : Interval{-wrong.hi, wrong.hi};
  if (value == -1 && scale == Scale::difference) return Interval{-right.hi, -right.lo};
  return std::nullopt;
}

std::optional<Interval> mean_interval(std::span<const TaskValues> tasks, const std::vector<double>& means,
                                      const BootstrapOptions& options) {
  std::vector<double> all(static_cast<std::size_t>(options.draws), 0), influence;
  std::vector<Interval> intervals;
  bool constant = false;
  std::size_t stream = 0;
  const auto n_tasks = static_cast<double>(means.size());
  for (const auto& task : tasks) {
    const std::size_t index = stream++;
    if (task.values.empty()) continue;
    const QuestionSums questions = by_question(task);
    if (questions.sums.size() < 2) return std::nullopt;
    if (all_equal(task.values)) {
      const auto interval = constant_interval(task.values.front(), questions.sums.size(), options.scale);
      if (!interval) return std::nullopt;
      constant = true;
      intervals.push_back(*interval);
      continue;
    }
    std::vector<double> resampled = resampled_means(questions, index, options);
    for (std::size_t d = 0; d < all.size(); ++d) all[d] += resampled[d] / n_tasks;
    for (const double u : influence_of(questions)) influence.push_back(u / n_tasks);
    if (means.size() == 1) continue;
    if (options.method == IntervalMethod::percentile) {
      intervals.push_back(percentile_interval(resampled));
    } else if (const auto own = bca_interval(resampled, questions.mean, influence_of(questions))) {
      intervals.push_back(*own);
    } else {
      return std::nullopt;
    }
  }
  if (constant) return combine(means, intervals);
  if (options.method == IntervalMethod::bca) return bca_interval(all, mean_of(means), influence);
  return percentile_interval(all);
}

/// Order statistics around the median: the largest rank k with P(Binomial(n, 1/2) < k) at most 2.5 %.
std::optional<Interval> median_interval(const std::vector<double>& sorted) {
  const auto n = sorted.size();
  double term = std::ldexp(1.0, -static_cast<int>(std::min<std::size_t>(n, 1000)));
  if (n > 1000) {  // the binomial's tails underflow: the normal approximation is exact enough by far
    const double k = std::floor((static_cast<double>(n) - z95 * std::sqrt(static_cast<double>(n))) / 2);
    const auto rank = static_cast<std::size_t>(k);
    return Interval{sorted[rank - 1], sorted[n - rank]};
  }
  double tail = 0;
  std::size_t k = 0;
  while (k < n && tail + term <= 0.025) {
    tail += term;
    term *= static_cast<double>(n - k) / static_cast<double>(k + 1);
    ++k;
  }
  if (k == 0) return std::nullopt;
  return Interval{sorted[k - 1], sorted[n - k]};
}

/// The same for questions with several samples, by inverting the sign test of questions. values[i] belongs to question
/// clusters[i].
std::optional<Interval> clustered_median_interval(const TaskValues& task) {
  struct Sample {
    double value;
    std::size_t question;
  };
  std::unordered_map<std::string, std::size_t> index;
  std::vector<Sample> samples;
  std::vector<double> signs;  // a question's samples above m less those below
  for (std::size_t i = 0; i < task.values.size(); ++i) {
    const auto [at, fresh] = index.emplace(task.clusters[i], signs.size());
    if (fresh) signs.push_back(0);
    signs[at->second] += 1;
    samples.push_back({task.values[i], at->second});
  }
  if (signs.size() < 2) return std::nullopt;
  const double limit = t95(static_cast<int>(signs.size()) - 1);
  double sum = 0, squares = 0;
  for (const double sign : signs) {
    sum += sign;
    squares += sign * sign;
  }
  const auto rejects = [&] { return std::abs(sum) > limit * std::sqrt(squares); };
  if (!rejects()) return std::nullopt;  // not even values below all samples
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.value < b.value; });
  Interval out{samples.front().value, samples.back().value};
  bool inside = false;
  for (std::size_t first = 0, last = 0; first < samples.size(); first = last) {
    const double value = samples[first].value, before = sum;
    const auto pass = [&] {
      for (last = first; last < samples.size() && samples[last].value == value; ++last) {
        double& sign = signs[samples[last].question];
        squares -= sign * sign;
        sign -= 1;
        squares += sign * sign;
        sum -= 1;
      }
      return !rejects();
    };
    const bool at = pass(), beyond = pass();  // m moves onto the value, then to between it and the next
    const bool median = before > 0 && sum < 0;
    if (!at && !beyond && !median) continue;
    if (!inside) out.lo = value;
    inside = true;
    out.hi = beyond && last < samples.size() ? samples[last].value : value;
  }
  return out;
}

}  // namespace

Interval wilson_interval(double proportion, int n) {
  const double z2 = z95 * z95;
  const double centre = (proportion + z2 / (2 * n)) / (1 + z2 / n);
  const double half = z95 / (1 + z2 / n) * std::sqrt(proportion * (1 - proportion) / n + z2 / (4.0 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

double select_quantile(std::vector<double>& values, double p) {
  const double at = p * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(at);
  const auto lower = values.begin() + below;
  std::nth_element(values.begin(), lower, values.end());
  const double fraction = at - static_cast<double>(below);
  if (fraction == 0 || lower + 1 == values.end()) return *lower;
  return *lower + fraction * (*std::min_element(lower + 1, values.end()) - *lower);
}

double quantile(std::span<const double> sorted, double p) {
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

Estimate estimate_mean(std::span<const TaskValues> tasks, const BootstrapOptions& options) {
  Estimate out;
  std::vector<double> means;
  for (const auto& task : tasks) {
    if (task.values.empty()) continue;
    means.push_back(mean_of(task.values));
    out.n += static_cast<int>(task.values.size());
  }
  if (means.empty()) return {std::numeric_limits<double>::quiet_NaN(), 0, std::nullopt};
  out.value = mean_of(means);
  out.interval = mean_interval(tasks, means, options);
  return out;
}

Estimate estimate_median(std::span<const TaskValues> tasks) {
  Estimate out;
  std::vector<double> medians;
  std::vector<Interval> intervals;
  for (const auto& task : tasks) {
    if (task.values.empty()) continue;
    std::vector<double> sorted = task.values;
    std::sort(sorted.begin(), sorted.end());
    medians.push_back(quantile(sorted, 0.5));
    out.n += static_cast<int>(sorted.size());
    const std::set<std::string> questions(task.clusters.begin(), task.clusters.end());
    const bool single = questions.size() == sorted.size();
    if (const auto interval = single ? median_interval(sorted) : clustered_median_interval(task))
      intervals.push_back(*interval);
  }
  if (medians.empty()) return {std::numeric_limits<double>::quiet_NaN(), 0, std::nullopt};
  out.value = mean_of(medians);
  if (intervals.size() == medians.size()) out.interval = combine(medians, intervals);
  return out;
}

}  // namespace kvmend
