#include "eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>

namespace kvmend {
namespace {

constexpr double z95 = 1.959963984540054;  // Φ⁻¹(0.975)

/// SplitMix64 (Steele, Lea, Flood 2014): the same draws on every machine.
class Random {
 public:
  explicit Random(std::uint64_t state) : state_(state) {}
  std::uint64_t next() {
    std::uint64_t x = state_ += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }
  /// Uniform in [0, n): the high half of a product (its bias, below n / 2^32, is nothing against 10,000 draws).
  std::size_t below(std::size_t n) { return static_cast<std::size_t>((next() >> 32) * n >> 32); }

 private:
  std::uint64_t state_;
};

/// How often each of n questions is drawn: counts[question * draws + draw].
using DrawCounts = std::vector<std::uint16_t>;

std::shared_ptr<const DrawCounts> draw_counts(std::size_t n, std::size_t stream, const BootstrapOptions& options) {
  using Key = std::tuple<std::size_t, std::size_t, int, std::uint64_t>;
  static std::mutex mutex;
  static std::map<Key, std::shared_ptr<const DrawCounts>> cache;
  const std::lock_guard lock(mutex);
  const Key key{n, stream, options.draws, options.seed};
  auto& entry = cache[key];
  if (entry) return entry;
  const auto draws = static_cast<std::size_t>(options.draws);
  DrawCounts counts(n * draws, 0);
  Random seeds(options.seed);
  std::uint64_t start = 0;
  for (std::size_t s = 0; s <= stream; ++s) start = seeds.next();
  Random random(start);
  for (std::size_t d = 0; d < draws; ++d) {
    for (std::size_t i = 0; i < n; ++i) ++counts[random.below(n) * draws + d];
  }
  entry = std::make_shared<const DrawCounts>(std::move(counts));
  return entry;
}

/// A task's values summed by question.
struct Questions {
  std::vector<double> sums, counts;
};

Questions by_question(const TaskValues& task) {
  std::map<std::string, std::size_t> index;
  Questions questions;
  for (std::size_t i = 0; i < task.values.size(); ++i) {
    const auto [at, fresh] = index.emplace(task.clusters[i], questions.sums.size());
    if (fresh) {
      questions.sums.push_back(0);
      questions.counts.push_back(0);
    }
    questions.sums[at->second] += task.values[i];
    questions.counts[at->second] += 1;
  }
  return questions;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// The task's mean in every draw.
std::vector<double> resampled_means(const Questions& questions, std::size_t stream, const BootstrapOptions& options) {
  const std::size_t n = questions.sums.size();
  const auto draws = static_cast<std::size_t>(options.draws);
  const auto counts = draw_counts(n, stream, options);
  std::vector<double> sum(draws, 0), total(draws, 0);
  for (std::size_t q = 0; q < n; ++q) {
    const std::uint16_t* drawn = counts->data() + q * draws;
    for (std::size_t d = 0; d < draws; ++d) {
      sum[d] += drawn[d] * questions.sums[q];
      total[d] += drawn[d] * questions.counts[q];
    }
  }
  for (std::size_t d = 0; d < draws; ++d) sum[d] /= total[d];
  return sum;
}

Interval percentile_interval(std::vector<double> means) {
  std::sort(means.begin(), means.end());
  return {quantile(means, 0.025), quantile(means, 0.975)};
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

std::optional<Interval> mean_interval(std::span<const TaskValues> tasks, const std::vector<double>& means,
                                      const BootstrapOptions& options) {
  std::vector<std::vector<double>> resampled;
  std::vector<Interval> intervals;
  bool constant = false;
  std::size_t stream = 0;
  for (const auto& task : tasks) {
    const std::size_t index = stream++;
    if (task.values.empty()) continue;
    const Questions questions = by_question(task);
    if (questions.sums.size() < 2) return std::nullopt;
    if (all_equal(task.values)) {
      const double value = task.values.front();
      if (!options.proportions || (value != 0 && value != 1)) return std::nullopt;
      constant = true;
      intervals.push_back(wilson_interval(value, static_cast<int>(questions.sums.size())));
    } else {
      resampled.push_back(resampled_means(questions, index, options));
      intervals.push_back({});
      if (tasks.size() > 1) intervals.back() = percentile_interval(resampled.back());
    }
  }
  if (constant) return combine(means, intervals);
  std::vector<double> all = std::move(resampled.front());
  for (std::size_t t = 1; t < resampled.size(); ++t) {
    for (std::size_t d = 0; d < all.size(); ++d) all[d] += resampled[t][d];
  }
  for (double& mean : all) mean /= static_cast<double>(resampled.size());
  return percentile_interval(std::move(all));
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

}  // namespace

Interval wilson_interval(double proportion, int n) {
  const double z2 = z95 * z95;
  const double centre = (proportion + z2 / (2 * n)) / (1 + z2 / n);
  const double half = z95 / (1 + z2 / n) * std::sqrt(proportion * (1 - proportion) / n + z2 / (4.0 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
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
    if (const auto interval = median_interval(sorted)) intervals.push_back(*interval);
  }
  if (medians.empty()) return {std::numeric_limits<double>::quiet_NaN(), 0, std::nullopt};
  out.value = mean_of(medians);
  if (intervals.size() == medians.size()) out.interval = combine(medians, intervals);
  return out;
}

}  // namespace kvmend
