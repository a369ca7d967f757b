#include "eval/comparison.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/file.h"
#include "core/split_mix.h"
#include "eval/bootstrap.h"
#include "eval/normal.h"
#include "paths.h"

using namespace kvmend;
using nlohmann::json;

namespace {

const json& golden() {
  static const json all = json::parse(read_file(source_folder() + "/tests/data/eval/statistics.json"));
  return all;
}

std::vector<std::string> questions(std::size_t n, std::size_t depths = 1) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(std::to_string(i / depths));
  return out;
}

TaskValues task_of(const std::vector<double>& values, std::size_t depths = 1) {
  return {values, questions(values.size(), depths)};
}

PairedTask pair_of(const std::vector<double>& a, const std::vector<double>& b) { return {a, b, questions(a.size())}; }

Comparison compare(const std::vector<double>& a, const std::vector<double>& b) {
  return compare_paired(std::vector{pair_of(a, b)});
}

/// Draws leave the ends of an interval uncertain: by a share of its width, and by a step where values are discrete.
void check_interval(const std::optional<Interval>& ours, const json& theirs, double step) {
  REQUIRE(ours);
  const double width = theirs[1].get<double>() - theirs[0].get<double>();
  CHECK(ours->lo == Approx(theirs[0].get<double>()).margin(0.03 * width + step));
  CHECK(ours->hi == Approx(theirs[1].get<double>()).margin(0.03 * width + step));
}

}  // namespace

TEST_CASE("scipy finds the same intervals, p-values and effects") {
  for (const auto& pair : golden().at("pairs")) {
    const std::vector<double> a = pair["a"], b = pair["b"];
    const bool binary = pair.contains("mcnemar");
    const double step = binary ? 1.01 / static_cast<double>(a.size()) : 0;
    CAPTURE(a.size(), binary);
    const std::vector tasks{task_of(a)};
    check_interval(estimate_mean(tasks).interval, pair["score"]["percentile"], step);
    check_interval(estimate_mean(tasks, {.method = IntervalMethod::bca}).interval, pair["score"]["bca"], step);
    const std::vector pairs{pair_of(a, b)};
    const Comparison percentile = compare_paired(pairs), bca = compare_paired(pairs, {.method = IntervalMethod::bca});
    check_interval(percentile.difference.interval, pair["difference"]["percentile"], step);
    check_interval(bca.difference.interval, pair["difference"]["bca"], step);
    const double p = pair["p"];
    CHECK(percentile.p == Approx(p).margin(a.size() <= 12 ? 1e-9 : 4 * std::sqrt(p * (1 - p) / 10000) + 2e-4));
    CHECK(percentile.effect == Approx(pair["effect"].get<double>()).epsilon(1e-9));
    // Swapping right and wrong between two strategies is McNemar's test.
    if (binary && percentile.exact) CHECK(percentile.p == Approx(pair["mcnemar"].get<double>()).epsilon(1e-9));
  }
}

TEST_CASE("numpy finds the same intervals of questions at several depths, over one task and over two") {
  for (const auto& group : golden().at("clustered")) {
    std::vector<TaskValues> tasks;
    for (const auto& task : group.at("scores")) {
      std::vector<double> values;
      for (const auto& question : task) values.insert(values.end(), question.begin(), question.end());
      tasks.push_back(task_of(values, 3));
    }
    check_interval(estimate_mean(tasks).interval, group["percentile"], 0);
    check_interval(estimate_mean(tasks, {.method = IntervalMethod::bca}).interval, group["bca"], 0);
  }
  for (const auto& task : golden().at("uneven")) {
    TaskValues values;
    for (std::size_t q = 0; q < task["scores"].size(); ++q) {
      for (const double score : task["scores"][q]) {
        values.values.push_back(score);
        values.clusters.push_back(std::to_string(q));
      }
    }
    check_interval(estimate_mean(std::vector{values}).interval, task["percentile"], 0);
    check_interval(estimate_mean(std::vector{values}, {.method = IntervalMethod::bca}).interval, task["bca"], 0);
  }
}

TEST_CASE("the median of samples that share questions has the interval that drawing questions gives") {
  for (const auto& golden_median : golden().at("medians")) {
    TaskValues task, as_if_alone;
    for (const auto& question : golden_median["values"]) {
      for (const double value : question) {
        task.clusters.push_back(std::to_string(task.values.size() / question.size()));
        as_if_alone.clusters.push_back(std::to_string(task.values.size()));
        task.values.push_back(value);
        as_if_alone.values.push_back(value);
      }
    }
    const Estimate e = estimate_median(std::vector{task});
    CHECK(e.value == Approx(golden_median["median"].get<double>()));
    REQUIRE(e.interval);
    const double lo = golden_median["percentile"][0], hi = golden_median["percentile"][1];
    CHECK(e.interval->lo == Approx(lo).margin(0.15 * (hi - lo)));  // by a test, and by the bootstrap
    CHECK(e.interval->hi == Approx(hi).margin(0.15 * (hi - lo)));
    const Interval narrow = *estimate_median(std::vector{as_if_alone}).interval;
    CHECK(narrow.hi - narrow.lo < 0.75 * (e.interval->hi - e.interval->lo));
  }
}

TEST_CASE("the share of the gap agrees with numpy's, and is refused where there is no gap") {
  for (const auto& gap : golden().at("gap_ratios")) {
    const GapTask task{gap["method"], gap["full"], gap["none"], questions(gap["full"].size())};
    const GapRatio ratio = estimate_gap_ratio(std::vector{task});
    REQUIRE(ratio.estimate);
    CHECK(ratio.estimate->value == Approx(gap["value"].get<double>()));
    check_interval(ratio.estimate->interval, gap["percentile"], 0.005);
    const GapRatio bca = estimate_gap_ratio(std::vector{task}, {.method = IntervalMethod::bca});
    check_interval(bca.estimate->interval, gap["bca"], 0.005);
  }
  const std::vector<double> coin{1, 0, 1, 0, 1, 0}, nioc{0, 1, 0, 1, 0, 1};
  const GapRatio none = estimate_gap_ratio(std::vector{GapTask{coin, coin, nioc, questions(6)}});
  CHECK_FALSE(none.estimate);
  CHECK_THAT(none.refusal,
             Catch::Contains("full − no_context is +0.0 [") || Catch::Contains("full − no_context is +0.0 (["));
  CHECK_THAT(none.refusal, Catch::Contains("no gap that a strategy could keep"));
  const GapRatio single = estimate_gap_ratio(std::vector{GapTask{{1}, {1}, {0}, {"a"}}});
  CHECK(single.refusal == "full − no_context is +100.0 (n = 1): too few questions for an interval");
  const std::vector<double> most(4, 0.9), some(4, 0.2);
  CHECK(estimate_gap_ratio(std::vector{GapTask{most, most, some, questions(4)}}).refusal ==
        "full − no_context is +70.0 (n = 4): the same on all samples, which gives no interval");
  CHECK_THAT(estimate_gap_ratio({}).refusal, Catch::Contains("no sample"));
  // A method that is full prefill keeps all of it, by definition: no interval around that.
  const std::vector<double> ones(20, 1), zeros(20, 0);
  const GapRatio same = estimate_gap_ratio(std::vector{GapTask{ones, ones, zeros, questions(20)}});
  REQUIRE(same.estimate);
  CHECK(same.estimate->value == 1);
  CHECK_FALSE(same.estimate->interval);
}

TEST_CASE("Holm's correction is over the family given") {
  const std::vector<double> ps = golden()["holm"]["p"], corrected = golden()["holm"]["corrected"];
  std::vector<Comparison> comparisons(ps.size());
  std::vector<Comparison*> family;
  for (std::size_t i = 0; i < ps.size(); ++i) {
    comparisons[i].p = ps[i];
    family.push_back(&comparisons[i]);
  }
  holm_correct(family);
  for (std::size_t i = 0; i < ps.size(); ++i) CHECK(comparisons[i].p_holm == Approx(corrected[i]));
  holm_correct(std::span(family.data(), 1));
  CHECK(comparisons[0].p_holm == ps[0]);
}

TEST_CASE("a family of more than 500 comparisons gets the draws that Holm's correction needs") {
  const std::vector<PairedTask> apart{pair_of(std::vector<double>(40, 1), std::vector<double>(40, 0))};
  Comparison far = compare_paired(apart);
  CHECK(far.p == 1.0 / 10001);  // the smallest that 10,000 draws show: of 2^40 patterns 2 are as far out
  CHECK_FALSE(lacks_draws(far, 500));
  CHECK(lacks_draws(far, 501));
  Comparison near = compare({1, 1, 1, 1}, {0, 0, 0, 0});
  CHECK_FALSE(lacks_draws(near, 501));  // all patterns were counted
  std::vector<double> a(60, 0), b(60, 0);
  for (std::size_t i = 0; i < 60; ++i) (i < 35 ? a : b)[i] = 1;
  CHECK_FALSE(lacks_draws(compare(a, b), 501));  // p is 0.25, whatever is drawn

  std::vector<Comparison> family(1000, near);
  family[0] = far;
  std::vector<Comparison*> all;
  for (Comparison& one : family) all.push_back(&one);
  holm_correct(all);
  CHECK_FALSE(family[0].distinguishable());
  draw_more(family[0], apart, family.size());
  CHECK(family[0].p == 1.0 / 40001);
  holm_correct(all);
  CHECK(family[0].distinguishable());
  CHECK_FALSE(family[1].distinguishable());

  // Where Hoeffding's inequality does not decide, permutations are drawn: 46 of 60 questions, p = 4.2e-05 by the binomial.
  for (std::size_t i = 0; i < 60; ++i) {
    a[i] = i < 46;
    b[i] = i >= 46;
  }
  const std::vector<PairedTask> close{pair_of(a, b)};
  Comparison one = compare_paired(close);
  draw_more(one, close, 10'000);
  CHECK(one.p > 1.0 / 400'001);
  CHECK(one.p == Approx(4.224e-05).epsilon(0.7));
}

TEST_CASE("permutations swap whole questions") {
  // Five questions, all better at each of three depths: 2 of 32 patterns are as far out, whatever the depths say.
  const PairedTask depths{std::vector<double>(15, 1), std::vector<double>(15, 0), questions(15, 3)};
  const Comparison c = compare_paired(std::vector{depths});
  CHECK(c.exact);
  CHECK(c.p == Approx(2.0 / 32));
  CHECK(c.wins == 15);
  CHECK_FALSE(c.distinguishable());
  CHECK(std::isnan(c.effect));  // no spread to divide by
}

TEST_CASE("a macro difference permutes within tasks and weighs tasks alike") {
  const PairedTask large{std::vector<double>(40, 1), std::vector<double>(40, 1), questions(40)};
  const PairedTask small{{1, 1, 1, 1}, {0, 0, 0, 0}, questions(4)};
  const Comparison c = compare_paired(std::vector{large, small});
  CHECK(c.difference.value == Approx(0.5));
  CHECK(c.p == Approx(2.0 / 16));
  CHECK(c.ties == 40);
  CHECK(c.difference.n == 44);
}

TEST_CASE("what cannot be told apart says what could have been seen") {
  const std::vector<double> right(30, 1);
  const Comparison same = compare(right, right);
  CHECK(same.p == 1);
  CHECK(same.effect == 0);
  CHECK(same.difference.interval->hi == Approx(wilson_interval(0, 30).hi));
  // None of 30 questions differs: up to 1 − 0.05^(1/30) = 9.5 % might, and 2.8 errors of that are 16 points.
  CHECK(same.detectable == Approx(2.801585 * std::sqrt(0.0950339 / 30)).epsilon(1e-4));
  CHECK(std::isnan(compare({1}, {0}).detectable));
  CHECK(std::isnan(compare_paired({}).difference.value));
  // A quarter of 400 questions differs: 2.8 · √(0.25 / 400) = 7 points.
  std::vector<double> a(400, 0), b(400, 0);
  for (std::size_t i = 0; i < 50; ++i) a[i] = b[399 - i] = 1;
  CHECK(compare(a, b).detectable == Approx(2.801585 * std::sqrt(0.25 / 399)).epsilon(1e-4));
}

TEST_CASE("the detectable difference is detected in about 80 % of experiments") {
  SplitMix random(5);
  int found = 0;
  constexpr int experiments = 200;
  std::vector<std::vector<double>> drawn;
  for (int e = 0; e < experiments; ++e) {
    // b is right in half of the cases, a in 20 points more: independent, variance 0.25 + 0.21, 100 samples.
    std::vector<double> a, b;
    for (int i = 0; i < 100; ++i) {
      a.push_back(random.below(1000) < 700);
      b.push_back(random.below(1000) < 500);
    }
    found += compare(a, b).p < 0.05;
  }
  // 2.8 · √(0.46 / 100) = 19 points are found with 80 %, 20 points with 83 %.
  CHECK(found > 0.75 * experiments);
  CHECK(found < 0.92 * experiments);
}

TEST_CASE("the normal distribution's quantiles are scipy's") {
  for (const auto& row : golden()["normal"])
    CHECK(normal_quantile(row[0]) == Approx(row[1].get<double>()).epsilon(1e-12).margin(1e-15));
  for (const auto& row : golden()["t"]) CHECK(t95(row[0]) == Approx(row[1].get<double>()).epsilon(1e-3));
  CHECK(normal_cdf(z95) == Approx(0.975).epsilon(1e-14));
  CHECK(normal_cdf(z80) == Approx(0.8).epsilon(1e-14));
}

TEST_CASE("100,000 results take less than a second", "[.speed]") {
  constexpr std::size_t n_tasks = 10, n_questions = 200, n_cells = 50;
  SplitMix random(1);
  std::vector<std::vector<TaskValues>> cells(n_cells);
  for (auto& cell : cells) {
    for (std::size_t t = 0; t < n_tasks; ++t) {
      TaskValues& task = cell.emplace_back();
      task.clusters = questions(n_questions);
      for (std::size_t q = 0; q < n_questions; ++q) task.values.push_back(static_cast<double>(random.below(101)) / 100);
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  double sum = 0;
  for (const auto& cell : cells) sum += estimate_mean(cell).interval->lo;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  WARN(n_tasks * n_questions * n_cells << " results: " << seconds.count() << " s");
  CHECK(sum > 0);
  CHECK(seconds.count() < 1);
}
