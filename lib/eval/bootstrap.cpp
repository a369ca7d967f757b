#include "eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/split_mix.h"
#include "eval/normal.h"

namespace kvmend {
namespace {

/// How often each of n questions is drawn: counts[question * draws + draw].
using DrawCounts = std::vector<std::uint16_t>;

constexpr std::size_t most_cached = std::size_t{256} << 20;  // bytes: 13,000 questions at 10,000 draws

DrawCounts make_draws(std::size_t n, std::size_t stream, const BootstrapOptions& options) {
  const auto draws = static_cast<std::size_t>(options.draws);
  DrawCounts counts(n * draws, 0);
  SplitMix seeds(options.seed);
  std::uint64_t start = 0;
  for (std::size_t s = 0; s <= stream; ++s) start = seeds.next();
  SplitMix random(start);
  for (std::size_t d = 0; d < draws; ++d) {
    for (std::size_t i = 0; i < n; ++i) ++counts[random.below(n) * draws + d];
  }
  return counts;
}

std::shared_ptr<const DrawCounts> draw_counts(std::size_t n, std::size_t stream, const BootstrapOptions& options) {
  using Key = std::tuple<std::size_t, std::size_t, int, std::uint64_t>;
  static std::mutex mutex;
  static std::map<Key, std::shared_ptr<const DrawCounts>> cache;
  static std::size_t cached = 0;
  const std::lock_guard lock(mutex);
  const Key key{n, stream, options.draws, options.seed};
  const auto found = cache.find(key);
  if (found != cache.end()) return found->second;
  auto fresh = std::make_shared<const DrawCounts>(make_draws(n, stream, options));
  const std::size_t bytes = fresh->size() * sizeof(std::uint16_t);
  if (cached + bytes > most_cached) {
    cache.clear();
    cached = 0;
  }
  cached += bytes;
  return cache[key] = fresh;
}

/// sums[draw] += Σ_question counts[question, draw] · values[question]. Scores have few values, most of them 0 or 1: how
/// often those of one value were drawn is added up as integers, several to a register, and multiplied once.
void add_weighted(std::vector<double>& sums, const DrawCounts& counts, const std::vector<double>& values) {
  const std::size_t draws = sums.size();
  std::map<double, std::vector<std::size_t>> by_value;
  for (std::size_t q = 0; q < values.size(); ++q) {
    if (values[q] != 0) by_value[values[q]].push_back(q);
  }
  constexpr std::size_t block = 4096;  // draws whose counts stay in the first-level cache
  std::vector<std::uint32_t> drawn(block);
  for (std::size_t begin = 0; begin < draws; begin += block) {
    const std::size_t size = std::min(block, draws - begin);
    for (const auto& [value, of_value] : by_value) {
      std::fill_n(drawn.begin(), size, 0U);
      for (const std::size_t q : of_value) {
        const std::uint16_t* count = counts.data() + q * draws + begin;
        for (std::size_t d = 0; d < size; ++d) drawn[d] += count[d];
      }
      for (std::size_t d = 0; d < size; ++d) sums[begin + d] += drawn[d] * value;
    }
  }
}

}  // namespace

QuestionSums by_question(const TaskValues& task) {
  std::unordered_map<std::string, std::size_t> index;
  QuestionSums out;
  double sum = 0;
  for (std::size_t i = 0; i < task.values.size(); ++i) {
    const auto [at, fresh] = index.emplace(task.clusters[i], out.sums.size());
    if (fresh) {
      out.sums.push_back(0);
      out.counts.push_back(0);
    }
    out.sums[at->second] += task.values[i];
    out.counts[at->second] += 1;
    sum += task.values[i];
  }
  out.total = static_cast<double>(task.values.size());
  out.mean = sum / out.total;
  return out;
}

std::vector<double> resampled_means(const QuestionSums& questions, std::size_t stream,
                                    const BootstrapOptions& options) {
  const std::size_t n = questions.sums.size();
  const auto draws = static_cast<std::size_t>(options.draws);
  const auto counts = draw_counts(n, stream, options);
  const bool even = std::all_of(questions.counts.begin(), questions.counts.end(),
                                [&](double c) { return c == questions.counts.front(); });
  std::vector<double> sum(draws, 0);
  add_weighted(sum, *counts, questions.sums);
  if (even) {
    for (double& s : sum) s /= questions.total;
    return sum;
  }
  std::vector<double> total(draws, 0);
  add_weighted(total, *counts, questions.counts);
  for (std::size_t d = 0; d < draws; ++d) sum[d] /= total[d];
  return sum;
}

Interval percentile_interval(std::vector<double>& draws) {
  return {select_quantile(draws, 0.025), select_quantile(draws, 0.975)};
}

std::optional<Interval> bca_interval(std::vector<double>& draws, double estimate,
                                     const std::vector<double>& influence) {
  const double slack = 1e-12 * std::max(1.0, std::abs(estimate));  // equal but for the order of summing
  double below = 0;
  for (const double draw : draws) below += draw < estimate - slack ? 1.0 : draw <= estimate + slack ? 0.5 : 0.0;
  const double share = below / static_cast<double>(draws.size());
  if (share <= 0 || share >= 1) return std::nullopt;
  const double bias = normal_quantile(share);
  double squares = 0, cubes = 0;
  for (const double u : influence) {
    squares += u * u;
    cubes += u * u * u;
  }
  const double acceleration = squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
  const auto level = [&](double z) { return normal_cdf(bias + (bias + z) / (1 - acceleration * (bias + z))); };
  return Interval{select_quantile(draws, level(-z95)), select_quantile(draws, level(z95))};
}

std::vector<double> influence_of(const QuestionSums& questions) {
  std::vector<double> out(questions.sums.size());
  for (std::size_t q = 0; q < out.size(); ++q)
    out[q] = (questions.sums[q] - questions.mean * questions.counts[q]) / questions.total;
  return out;
}

}  // namespace kvmend
