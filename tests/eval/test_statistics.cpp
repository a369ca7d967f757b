#include <cmath>

#include "catch.h"
#include "eval/statistics.h"

using namespace kvmend;

namespace {

TaskValues independent(const std::vector<double>& values) {
  TaskValues task;
  for (std::size_t i = 0; i < values.size(); ++i) {
    task.values.push_back(values[i]);
    task.clusters.push_back(std::to_string(i));
  }
  return task;
}

Estimate mean_of(const std::vector<TaskValues>& tasks) { return estimate_mean(tasks); }

}  // namespace

TEST_CASE("Wilson's interval has the published values") {
  // Newcombe 1998, table I (81 of 263); the others from the closed formula, computed apart.
  CHECK(wilson_interval(81.0 / 263, 263).lo == Approx(0.2553).margin(5e-5));
  CHECK(wilson_interval(81.0 / 263, 263).hi == Approx(0.3662).margin(5e-5));
  CHECK(wilson_interval(1, 10).lo == Approx(0.722467200137).epsilon(1e-10));
  CHECK(wilson_interval(1, 10).hi == Approx(1));
  CHECK(wilson_interval(0, 20).lo == 0);
  CHECK(wilson_interval(0, 20).hi == Approx(0.161125158053).epsilon(1e-10));
  CHECK(wilson_interval(0.5, 10).lo == Approx(0.236593090513).epsilon(1e-10));
}

TEST_CASE("quantiles interpolate between order statistics") {
  const std::vector<double> v{1, 2, 4, 8};
  CHECK(quantile(v, 0) == 1);
  CHECK(quantile(v, 1) == 8);
  CHECK(quantile(v, 0.5) == 3);
  CHECK(quantile(v, 0.1) == Approx(1.3));
  CHECK(quantile(std::vector<double>{5}, 0.3) == 5);
}

TEST_CASE("the bootstrap finds the percentiles of all resamples") {
  // All 5^5 resamples of these values were enumerated: percentiles 0.18 and 0.86.
  const Estimate e = mean_of({independent({0, 0.2, 0.5, 1.0, 0.9})});
  CHECK(e.value == Approx(0.52));
  CHECK(e.n == 5);
  REQUIRE(e.interval);
  CHECK(e.interval->lo == Approx(0.18).margin(0.011));
  CHECK(e.interval->hi == Approx(0.86).margin(0.011));
  // The same call gives the same bits.
  CHECK(mean_of({independent({0, 0.2, 0.5, 1.0, 0.9})}).interval->lo == e.interval->lo);
}

TEST_CASE("samples of one question are drawn together") {
  TaskValues alone, together;
  for (int q = 0; q < 400; ++q) {
    for (int depth = 0; depth < 3; ++depth) {
      alone.values.push_back(q % 2);
      alone.clusters.push_back(std::to_string(3 * q + depth));
      together.values.push_back(q % 2);
      together.clusters.push_back(std::to_string(q));
    }
  }
  const Interval narrow = *mean_of({alone}).interval;
  const Interval wide = *mean_of({together}).interval;
  // 1200 independent values against 400: the width grows by the square root of 3.
  CHECK((wide.hi - wide.lo) / (narrow.hi - narrow.lo) == Approx(std::sqrt(3.0)).epsilon(0.1));
  CHECK(wide.hi - wide.lo == Approx(2 * 1.96 * 0.5 / std::sqrt(400.0)).epsilon(0.1));
  CHECK(mean_of({together}).n == 1200);
}

TEST_CASE("unequal questions weigh by their samples") {
  const TaskValues task{{1, 0, 0, 0, 1}, {"a", "b", "b", "b", "c"}};
  CHECK(mean_of({task}).value == Approx(0.4));
  const Interval i = *mean_of({task}).interval;
  CHECK(i.lo == 0);  // only b is drawn in 1 of 27
  CHECK(i.hi == 1);  // only a and c in 8 of 27
}

TEST_CASE("a macro mean resamples within tasks") {
  std::vector<double> a, b;
  for (int i = 0; i < 50; ++i) a.push_back(i % 2);
  for (int i = 0; i < 200; ++i) b.push_back(i % 4 == 0);
  const Estimate e = mean_of({independent(a), independent(b)});
  CHECK(e.value == Approx((0.5 + 0.25) / 2));
  CHECK(e.n == 250);
  const double sd = std::sqrt(0.25 / 50 + 0.1875 / 200) / 2;
  CHECK(e.interval->hi - e.interval->lo == Approx(2 * 1.96 * sd).epsilon(0.05));
}

TEST_CASE("constant values get Wilson's interval if they are binary, else none") {
  const Estimate all = mean_of({independent(std::vector<double>(10, 1))});
  CHECK(all.value == 1);
  CHECK(all.interval->lo == Approx(wilson_interval(1, 10).lo));
  CHECK(all.interval->hi == Approx(1));
  CHECK_FALSE(mean_of({independent(std::vector<double>(10, 0.5))}).interval);
  CHECK_FALSE(estimate_mean(std::vector{independent({1, 1, 1})}, {.scale = Scale::other}).interval);
  CHECK_FALSE(mean_of({independent({1})}).interval);
  CHECK_FALSE(mean_of({TaskValues{{1, 0, 1}, {"a", "a", "a"}}}).interval);
  // Three depths of ten questions, all right: ten questions, not thirty samples.
  TaskValues depths;
  for (int i = 0; i < 30; ++i) {
    depths.values.push_back(1);
    depths.clusters.push_back(std::to_string(i / 3));
  }
  CHECK(mean_of({depths}).interval->lo == Approx(wilson_interval(1, 10).lo));
  // One task all right, one all wrong: no spread in any resample, and still no certainty.
  const Estimate two = mean_of({independent(std::vector<double>(10, 1)), independent(std::vector<double>(10, 0))});
  const double distance = (1 - wilson_interval(1, 10).lo) / 2;
  CHECK(two.value == 0.5);
  CHECK(two.interval->lo == Approx(0.5 - distance));
  CHECK(two.interval->hi == Approx(0.5 + distance));
}

TEST_CASE("beside a constant task the others' intervals are by the method asked for") {
  std::vector<double> skewed;
  for (int i = 0; i < 40; ++i) skewed.push_back(i < 36 ? 0.1 : 1);
  const BootstrapOptions bca{.method = IntervalMethod::bca};
  const std::vector constant{independent(std::vector<double>(40, 1))}, varying{independent(skewed)};
  const std::vector both{varying[0], constant[0]};
  const auto distance = [&](const BootstrapOptions& options, const std::vector<TaskValues>& tasks) {
    const Estimate e = estimate_mean(tasks, options);
    return std::pair(e.value - e.interval->lo, e.interval->hi - e.value);
  };
  const auto combined = [](double a, double b) { return std::hypot(a, b) / 2; };
  for (const BootstrapOptions& options : {BootstrapOptions{}, bca}) {
    const auto all = distance(options, both), own = distance(options, varying), other = distance(options, constant);
    CHECK(all.first == Approx(combined(own.first, other.first)));
    CHECK(all.second == Approx(combined(own.second, other.second)));
  }
  CHECK(distance(bca, both).second > 1.1 * distance({}, both).second);  // the tail is above
}

TEST_CASE("differences that are all equal get what their questions can say") {
  const BootstrapOptions differences{.scale = Scale::difference};
  const auto of = [&](double value) {
    return *estimate_mean(std::vector{independent({value, value, value, value})}, differences).interval;
  };
  CHECK(of(0).lo == Approx(-wilson_interval(0, 4).hi));
  CHECK(of(0).hi == Approx(wilson_interval(0, 4).hi));
  CHECK(of(1).lo == Approx(wilson_interval(1, 4).lo));
  CHECK(of(-1).hi == Approx(-wilson_interval(1, 4).lo));
  CHECK_FALSE(estimate_mean(std::vector{independent({0.3, 0.3})}, differences).interval);
}

TEST_CASE("nothing to average is said") {
  CHECK(mean_of({}).n == 0);
  CHECK(std::isnan(mean_of({}).value));
  CHECK(std::isnan(mean_of({TaskValues{}}).value));
  CHECK(mean_of({TaskValues{}, independent({0, 1, 1})}).n == 3);
}

TEST_CASE("medians have exact order-statistic intervals") {
  std::vector<double> values;
  for (int i = 1; i <= 20; ++i) values.push_back(i);
  const Estimate e = estimate_median(std::vector{independent(values)});
  CHECK(e.value == 10.5);
  CHECK(e.interval->lo == 6);  // P(Binomial(20, 1/2) < 6) = 2.07 %
  CHECK(e.interval->hi == 15);
  CHECK_FALSE(estimate_median(std::vector{independent({1, 2, 3, 4, 5})}).interval);
  CHECK(estimate_median(std::vector{independent({6, 5, 4, 3, 2, 1})}).interval->lo == 1);
  // Each value at three depths says no more than once.
  TaskValues depths;
  for (int i = 0; i < 60; ++i) {
    depths.values.push_back(1 + i / 3);
    depths.clusters.push_back(std::to_string(i / 3));
  }
  CHECK(estimate_median(std::vector{depths}).interval->lo == 6);
  CHECK(estimate_median(std::vector{depths}).interval->hi == 15);
  const std::vector<std::string> six{"a", "a", "b", "b", "c", "c", "d", "d", "e", "e", "f", "f"};
  CHECK_FALSE(estimate_median(std::vector{TaskValues{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, six}}).interval);
  // Nine in ten are equal to the median: no value beside it is possible.
  TaskValues same = depths;
  for (std::size_t i = 6; i < 60; ++i) same.values[i] = 7;
  CHECK(estimate_median(std::vector{same}).interval->lo == 7);
  CHECK(estimate_median(std::vector{same}).interval->hi == 7);
  std::vector<double> many;
  for (int i = 1; i <= 2000; ++i) many.push_back(i);
  CHECK(estimate_median(std::vector{independent(many)}).interval->lo == Approx(956).margin(1));
}
