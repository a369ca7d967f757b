// Compositions (STRATEGIES §11): scores as one, a pinned base, budgets by chunk.
#include <cmath>

#include "support/cell_case.h"
#include "support/random_model.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

Engine& engine() {
  static const RandomModel files(14);
  static Engine shared(files, {"cpu", DType::f32, 2});
  return shared;
}

const Request& request() {
  static const Request made = random_request({8, 40, 25, 33}, true, 11, 4);
  return made;
}

Value map(std::initializer_list<std::pair<const char*, Value>> entries) {
  Value out{Value::Map{}};
  for (const auto& [key, value] : entries) out.set(key, value);
  return out;
}
Value list(std::initializer_list<Value> items) { return Value::List(items); }

Outcome run(const std::string& name, const Value& params, double ratio) {
  return run_cell(engine(), request(), strategy(name, params), ratio).outcome;
}

std::string error_of(const Value& params) {
  ParamErrors errors;
  CHECK(make_strategy("combine", {}, params, errors) == nullptr);
  std::string all;
  for (const auto& message : errors.messages) all += message + "\n";
  return all;
}

double sum_of(const std::vector<float>& values) {
  double sum = 0;
  for (const float v : values) sum += v;
  return sum;
}

}  // namespace

TEST_CASE("combine: weighted sum and maximum of scores, each divided by its sum or its largest") {
  const auto a = run("prophetkv", {}, 0.2).scores, b = run("random", {}, 0.2).scores;
  for (const char* normalise : {"sum", "max", "none"}) {
    const auto divisor = [&](const std::vector<float>& v) {
      return normalise == std::string("sum")   ? sum_of(v)
             : normalise == std::string("max") ? *std::max_element(v.begin(), v.end())
                                               : 1.0;
    };
    for (const char* by : {"sum", "max"}) {
      CAPTURE(normalise, by);
      const auto found = run("combine",
                             map({{"scores", list({"prophetkv", "random"})},
                                  {"weights", list({Value(2.0), Value(0.5)})},
                                  {"normalise", normalise},
                                  {"by", by}}),
                             0.2);
      REQUIRE(found.scores.size() == a.size());
      for (std::size_t j = 0; j < a.size(); ++j) {
        const double x = 2 * a[j] / divisor(a), y = 0.5 * b[j] / divisor(b);
        CHECK(found.scores[j] == Approx(by == std::string("sum") ? x + y : std::max(x, y)).epsilon(1e-5));
      }
      CHECK(found.selected.size() == 21);
    }
  }
}

TEST_CASE("combine: rank fusion is minus the mean descending rank; one part alone is that part") {
  const auto a = run("prophetkv", {}, 0.2), b = run("random", {}, 0.2);
  const auto rank = [](const std::vector<float>& scores, std::size_t j) {
    int before = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
      before += scores[i] > scores[j] || (scores[i] == scores[j] && i < j);
    return before;
  };
  const auto found = run("combine", map({{"scores", list({"prophetkv", "random"})}, {"by", "rank"}}), 0.2);
  for (std::size_t j = 0; j < found.scores.size(); ++j) {
    CHECK(found.scores[j] == Approx(-0.5 * (rank(a.scores, j) + rank(b.scores, j))));
  }
  for (const char* by : {"sum", "max", "rank"}) {
    const auto alone =
        run("combine", map({{"scores", list({map({{"prophetkv", map({{"fusion", "max"}})}})})}, {"by", by}}), 0.3);
    CHECK(alone.selected == run("prophetkv", map({{"fusion", "max"}}), 0.3).selected);
  }
}

TEST_CASE("combine: a pinned base is taken first and counts") {
  const Value both = map({{"scores", list({"prophetkv"})}, {"pinned", map({{"epic", map({{"k", std::int64_t{3}}})}})}});
  const auto found = run("combine", both, 0.2);
  CHECK(found.selected.size() == 21);
  for (const int begin : {8, 48, 73}) {
    for (int i = begin; i < begin + 3; ++i) CHECK(std::binary_search(found.selected.begin(), found.selected.end(), i));
  }
  // The rest is what prophetkv likes best of the others.
  const auto alone = run("prophetkv", {}, 0.2);
  std::vector<int> rest;
  for (const int i : found.selected) {
    if (!(i - 8 < 3 || (i >= 48 && i < 51) || (i >= 73 && i < 76))) rest.push_back(i);
  }
  CHECK(std::includes(alone.selected.begin(), alone.selected.end(), rest.begin(), rest.end()));
  CHECK(run("combine", both, 0.02).selected == std::vector<int>{8, 9});  // the base alone exceeds it
}

TEST_CASE("combine: budgets by chunk") {
  const auto found = run("combine", map({{"scores", list({"prophetkv"})}, {"budget", "chunk"}}), 0.3);
  const auto inside = [&](int begin, int end) {
    return std::count_if(found.selected.begin(), found.selected.end(), [&](int i) { return i >= begin && i < end; });
  };
  CHECK(inside(0, 8) == 0);
  CHECK(inside(8, 48) == 12);
  CHECK(inside(48, 73) == 7);
  CHECK(inside(73, 106) == 9);
  for (const int i : found.selected) {
    const int begin = i < 48 ? 8 : i < 73 ? 48 : 73, end = i < 48 ? 48 : i < 73 ? 73 : 106;
    int better = 0;
    for (int j = begin; j < end; ++j) {
      better += found.scores[static_cast<std::size_t>(j)] > found.scores[static_cast<std::size_t>(i)];
    }
    CHECK(better < inside(begin, end));
  }
}

TEST_CASE("combine: mistakes are said, and parts are part of the identity") {
  CHECK(error_of({}).find("combine needs scores") != std::string::npos);
  CHECK(error_of(map({{"scores", list({"prohpetkv"})}})).find("did you mean 'prophetkv'") != std::string::npos);
  CHECK(error_of(map({{"scores", list({"epic"})}})).find("epic gives no scores; it can be `pinned`") !=
        std::string::npos);
  CHECK(error_of(map({{"scores", list({map({{"prophetkv", map({{"sink", "none"}})}})})}}))
            .find("'sink' belongs to the combination") != std::string::npos);
  CHECK(error_of(map({{"scores", list({"random"})}, {"weights", list({Value(1.0), Value(2.0)})}}))
            .find("2 weights for 1 scores") != std::string::npos);
  CHECK(error_of(map({{"scores", list({map({{"prophetkv", map({{"layers", list({Value(std::int64_t{-1})})}})}})})}}))
            .find("layers must be increasing") != std::string::npos);
  const auto one = strategy("combine", map({{"scores", list({"prophetkv"})}}));
  const auto same = strategy("combine", map({{"scores", list({map({{"prophetkv", map({{"fusion", "mean"}})}})})}}));
  const auto other = strategy("combine", map({{"scores", list({map({{"prophetkv", map({{"fusion", "max"}})}})})}}));
  CHECK(one->canonical.canonical() == same->canonical.canonical());
  CHECK(one->canonical.canonical() != other->canonical.canonical());
  CHECK_THROWS_WITH(
      run("combine", map({{"scores", list({map({{"prophetkv", map({{"fusion", "rank"}})}}), "random"})}}), 0.2),
      Catch::Contains("negative scores"));
}

TEST_CASE("any strategy takes a temper, a write-back and a freshness") {
  for (const char* name : {"epic", "prophetkv", "cacheblend", "combine"}) {
    CAPTURE(name);
    Value params = name == std::string("combine") ? map({{"scores", list({"prophetkv"})}}) : map({});
    const auto plain = run_cell(engine(), request(), strategy(name, params), 0.3);
    const auto with = [&](const char* key, const Value& value) {
      Value changed = params;
      changed.set(key, value);
      return run_cell(engine(), request(), strategy(name, changed), 0.3);
    };
    CHECK(with("temperature", Value(1.0)).logits == plain.logits);
    for (const auto& [key, value] : {std::pair<const char*, Value>{"temperature", Value(0.8)},
                                     {"temper_scale", Value(0.7)},
                                     {"write_back", "fusion"},
                                     {"freshness", "last_token"}}) {
      CAPTURE(key);
      const auto changed = with(key, value);
      CHECK(max_difference(changed.logits, plain.logits) > 1e-3F);
      // CacheBlend chooses inside the pass, from states that a write-back changes.
      const bool same_choice =
          key != std::string("freshness") && !(name == std::string("cacheblend") && key == std::string("write_back"));
      if (same_choice) CHECK(changed.outcome.selected == plain.outcome.selected);
    }
  }
}
