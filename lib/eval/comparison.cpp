#include "eval/comparison.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "core/split_mix.h"
#include "eval/bootstrap.h"
#include "eval/normal.h"

namespace kvmend {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_exact = 13;  // questions that differ: 2^13 patterns are fewer than 10,000 draws

TaskValues differences(const PairedTask& task) {
  TaskValues out;
  out.clusters = task.clusters;
  for (std::size_t i = 0; i < task.a.size(); ++i) out.values.push_back(task.a[i] - task.b[i]);
  return out;
}

/// Whether a permutation lies at least as far out as what was seen, but for the order of summing.
class Extreme {
 public:
  explicit Extreme(double seen) : limit_(std::abs(seen) * (1 - 1e-9) - 1e-15) {}
  bool operator()(double sum) const { return std::abs(sum) >= limit_; }

 private:
  double limit_;
};

double count_all_patterns(const std::vector<double>& terms, const Extreme& extreme) {
  const std::size_t patterns = std::size_t{1} << terms.size();
  std::size_t hits = 0;
  for (std::size_t pattern = 0; pattern < patterns; ++pattern) {
    double sum = 0;
    for (std::size_t q = 0; q < terms.size(); ++q) sum += (pattern >> q & 1U) ? -terms[q] : terms[q];
    hits += extreme(sum);
  }
  return static_cast<double>(hits) / static_cast<double>(patterns);
}

/// How many of 64 draws' sign words were set in each, added up in binary: bit d of planes[p] is bit p of draw d's count.
/// Adding a word ripples through two planes on average, for all 64 draws together.
class CountedSigns {
 public:
  void add(std::uint64_t word) {
    for (std::size_t p = 0; word != 0; ++p) {
      if (p == used_) planes_[used_++] = 0;
      const std::uint64_t carry = planes_[p] & word;
      planes_[p] ^= word;
      word = carry;
    }
  }
  double of(std::size_t draw) const {
    std::uint64_t count = 0;
    for (std::size_t p = 0; p < used_; ++p) count |= (planes_[p] >> draw & 1U) << p;
    return static_cast<double>(count);
  }

 private:
  std::array<std::uint64_t, 64> planes_;
  std::size_t used_ = 0;
};

/// The signs of term t in draws 64 b to 64 b + 63 are the random word number t · words + b. Terms of one size, which binary
/// scores have only, are counted instead of added.
double sample_patterns(const std::vector<double>& terms, const Extreme& extreme, const BootstrapOptions& options) {
  const auto draws = static_cast<std::size_t>(options.draws);
  const std::size_t words = (draws + 63) / 64;
  std::map<double, std::vector<std::size_t>> by_size;
  for (std::size_t t = 0; t < terms.size(); ++t) by_size[std::abs(terms[t])].push_back(t);
  std::size_t hits = 0;
  for (std::size_t b = 0; b < words; ++b) {
    const std::size_t in_word = std::min<std::size_t>(64, draws - 64 * b);
    std::array<double, 64> sums{};
    for (const auto& [size, of_size] : by_size) {
      CountedSigns negative;
      for (const std::size_t t : of_size) {
        SplitMix random(options.seed);
        random.skip(t * words + b);
        negative.add(terms[t] < 0 ? ~random.next() : random.next());
      }
      const auto n = static_cast<double>(of_size.size());
      for (std::size_t d = 0; d < in_word; ++d) sums[d] += size * (n - 2 * negative.of(d));
    }
    hits += static_cast<std::size_t>(
        std::count_if(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(in_word), extreme));
  }
  return static_cast<double>(hits + 1) / static_cast<double>(draws + 1);
}

/// What the test swaps: each question's share in the difference.
struct Swaps {
  std::vector<double> terms;  ///< those that are not 0
  double seen = 0;            ///< their sum
};
Swaps swaps_of(const std::vector<QuestionSums>& tasks) {
  Swaps out;
  for (const QuestionSums& task : tasks) {
    for (const double sum : task.sums) {
      const double term = sum / task.total / static_cast<double>(tasks.size());
      out.seen += term;
      if (term != 0) out.terms.push_back(term);
    }
  }
  return out;
}

double smallest_p(int draws) { return 1 / static_cast<double>(draws + 1); }

/// The variance of one question's difference, as an estimate of its population's.
double variance_of(const QuestionSums& questions) {
  const auto n = static_cast<double>(questions.sums.size());
  double squares = 0;
  for (const double u : influence_of(questions)) squares += u * u * n * n;
  return squares / (n - 1);
}

}  // namespace

Comparison compare_paired(std::span<const PairedTask> tasks, const BootstrapOptions& options) {
  Comparison out;
  std::vector<TaskValues> values;
  std::vector<QuestionSums> questions;
  for (const PairedTask& task : tasks) {
    values.push_back(differences(task));
    if (task.a.empty()) continue;
    questions.push_back(by_question(values.back()));
    for (const double d : values.back().values) ++(d > 0 ? out.wins : d < 0 ? out.losses : out.ties);
  }
  BootstrapOptions of_differences = options;
  of_differences.scale = Scale::difference;
  out.difference = estimate_mean(values, of_differences);
  if (out.difference.n == 0) {
    out.effect = out.detectable = nan;
    return out;
  }
  const auto n_tasks = static_cast<double>(questions.size());
  const Swaps swaps = swaps_of(questions);
  double variance = 0, error = 0;
  for (const QuestionSums& task : questions) {
    const auto n = static_cast<double>(task.sums.size());
    const double own = n > 1 ? variance_of(task) : nan;
    variance += own / n_tasks;
    const double unseen = 1 - std::pow(0.05, 1 / n);  // of n questions none differs: fewer do than this, at 95 %
    error += (own == 0 ? unseen : own) / n / (n_tasks * n_tasks);
  }
  out.exact = swaps.terms.size() <= most_exact;
  const Extreme extreme(swaps.seen);
  out.p = out.exact ? count_all_patterns(swaps.terms, extreme) : sample_patterns(swaps.terms, extreme, options);
  out.p_holm = out.p;
  out.effect = out.difference.value == 0 ? 0 : variance > 0 ? out.difference.value / std::sqrt(variance) : nan;
  out.detectable = (z95 + z80) * std::sqrt(error);
  return out;
}

void holm_correct(std::span<Comparison*> family) {
  std::vector<Comparison*> sorted(family.begin(), family.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const Comparison* x, const Comparison* y) { return x->p < y->p; });
  double largest = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    largest = std::max(largest, std::min(1.0, sorted[i]->p * static_cast<double>(sorted.size() - i)));
    sorted[i]->p_holm = largest;
  }
}

bool lacks_draws(const Comparison& comparison, std::size_t comparisons, const BootstrapOptions& options) {
  const double smallest = smallest_p(options.draws);
  return !comparison.exact && comparison.p <= smallest && static_cast<double>(comparisons) * smallest >= significant;
}

void draw_more(Comparison& comparison, std::span<const PairedTask> tasks, std::size_t comparisons,
               const BootstrapOptions& options) {
  std::vector<QuestionSums> questions;
  for (const PairedTask& task : tasks) {
    if (!task.a.empty()) questions.push_back(by_question(differences(task)));
  }
  const Swaps swaps = swaps_of(questions);
  BootstrapOptions more = options;
  more.draws = static_cast<int>(std::min<std::size_t>(40 * comparisons, std::numeric_limits<int>::max() - 1));
  double squares = 0;
  for (const double term : swaps.terms) squares += term * term;
  const bool out_of_reach = 2 * std::exp(-swaps.seen * swaps.seen / (2 * squares)) <= smallest_p(more.draws);
  comparison.p = out_of_reach ? smallest_p(more.draws) : sample_patterns(swaps.terms, Extreme(swaps.seen), more);
  comparison.p_holm = comparison.p;
}

namespace {

/// What the triples of all tasks add up to, by themselves and in each draw.
struct GapSums {
  int n = 0;                           ///< triples
  double gain = 0, gap = 0;            ///< the tasks' means of method − none and of full − none
  std::vector<double> gains, gaps;     ///< [draws]: the same in each
  std::vector<double> gain_influence;  ///< [questions], task by task
  std::vector<double> gap_influence;   ///< [questions]
  std::vector<TaskValues> whole;       ///< [tasks]: full − none
  bool few_questions = false;          ///< a task has one only
};

GapSums sum_gaps(std::span<const GapTask> tasks, const BootstrapOptions& options) {
  const auto draws = static_cast<std::size_t>(options.draws);
  GapSums out;
  out.gains.resize(draws);
  out.gaps.resize(draws);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const GapTask& task = tasks[t];
    TaskValues kept{{}, task.clusters}, whole{{}, task.clusters};
    for (std::size_t i = 0; i < task.method.size(); ++i) {
      kept.values.push_back(task.method[i] - task.none[i]);
      whole.values.push_back(task.full[i] - task.none[i]);
    }
    out.whole.push_back(whole);
    if (task.method.empty()) continue;
    out.n += static_cast<int>(task.method.size());
    const QuestionSums kept_sums = by_question(kept), whole_sums = by_question(whole);
    out.few_questions = out.few_questions || whole_sums.sums.size() < 2;
    out.gain += kept_sums.mean;
    out.gap += whole_sums.mean;
    const auto kept_means = resampled_means(kept_sums, t, options);
    const auto whole_means = resampled_means(whole_sums, t, options);
    for (const double u : influence_of(kept_sums)) out.gain_influence.push_back(u);
    for (const double u : influence_of(whole_sums)) out.gap_influence.push_back(u);
    for (std::size_t d = 0; d < draws; ++d) {
      out.gains[d] += kept_means[d];
      out.gaps[d] += whole_means[d];
    }
  }
  return out;
}

/// Why these have no ratio; "": they have.
std::string refusal_of(const GapSums& sums, const BootstrapOptions& options) {
  if (sums.n == 0) return "no sample was run by the strategy, full and no_context alike";
  const Estimate difference =
      estimate_mean(sums.whole, {.draws = options.draws, .seed = options.seed, .scale = Scale::difference});
  if (!difference.interval) {
    return fmt::format(
        "full − no_context is {:+.1f} (n = {}): {}", 100 * difference.value, difference.n,
        sums.few_questions ? "too few questions for an interval" : "the same on all samples, which gives no interval");
  }
  if (difference.interval->lo <= 0) {
    return fmt::format("full − no_context is {:+.1f} ([{:.1f}, {:.1f}], n = {}): no gap that a strategy could keep",
                       100 * difference.value, 100 * difference.interval->lo, 100 * difference.interval->hi,
                       difference.n);
  }
  return "";
}

}  // namespace

GapRatio estimate_gap_ratio(std::span<const GapTask> tasks, const BootstrapOptions& options) {
  const GapSums sums = sum_gaps(tasks, options);
  if (std::string refusal = refusal_of(sums, options); !refusal.empty()) return {std::nullopt, std::move(refusal)};
  Estimate estimate;
  estimate.n = sums.n;
  estimate.value = sums.gain / sums.gap;
  std::vector<double> ratios = sums.gains;
  for (std::size_t d = 0; d < ratios.size(); ++d) {
    const double infinite = ratios[d] == 0 ? 0 : std::copysign(std::numeric_limits<double>::infinity(), ratios[d]);
    ratios[d] = sums.gaps[d] > 0 ? ratios[d] / sums.gaps[d] : infinite;
  }
  std::vector<double> influence;  // of a ratio: the method's share less that of the gap it is taken of
  for (std::size_t q = 0; q < sums.gap_influence.size(); ++q)
    influence.push_back((sums.gain_influence[q] - estimate.value * sums.gap_influence[q]) / sums.gap);
  const std::optional<Interval> interval = options.method == IntervalMethod::bca
                                               ? bca_interval(ratios, estimate.value, influence)
                                               : percentile_interval(ratios);
  // Draws without a gap, fewer than one in forty, may leave an end open; draws that are all equal say nothing.
  if (interval && std::isfinite(interval->lo) && std::isfinite(interval->hi) && interval->lo < interval->hi)
    estimate.interval = interval;
  return {estimate, ""};
}

}  // namespace kvmend
