// Compositions (STRATEGIES §11): scores as one, a pinned base, budgets by chunk.
#include <algorithm>
#include <numeric>

#include "composition.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

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

TEST_CASE("combine: by chunk too, r = 1 takes everything, and what is exact comes after all else") {
  const Value by_chunk = map({{"scores", list({"prophetkv"})}, {"budget", "chunk"}});
  const auto with = [&](const char* key, const Value& value) {
    Value out = by_chunk;
    out.set(key, value);
    return out;
  };
  const Request bare = random_request({45, 70, 60}, false, 11, 4);
  const auto inside = [](const Outcome& found, int begin, int end) {
    return std::count_if(found.selected.begin(), found.selected.end(), [&](int i) { return i >= begin && i < end; });
  };
  for (const Request* what : {&request(), &bare}) {
    std::vector<int> all(static_cast<std::size_t>(what->n_context()));
    std::iota(all.begin(), all.end(), 0);
    CHECK(run("combine", by_chunk, 1, *what).selected == all);
    CHECK(run("combine", by_chunk, 0, *what).selected.empty());
    const auto last = run("combine", with("freshness", "last_token"), 1, *what);
    CHECK(last.selected == all);
    REQUIRE(last.selected_query);
    CHECK(last.selected_query->size() == 10);
  }
  const auto most = run("combine", by_chunk, 0.9, bare);
  CHECK(inside(most, 0, 45) == 0);  // exact without a prefix before it
  CHECK(inside(most, 45, 115) == 63);
  CHECK(inside(most, 115, 175) == 54);
  const auto competing = run("combine", with("exact_rows", "compete"), 0.9, bare);
  CHECK(inside(competing, 0, 45) == 40);
  CHECK(competing.selected.size() == 40 + 63 + 54);
  // Pinned tokens are taken wherever they are, the first of them where a chunk's share holds no more.
  CHECK(run("combine", with("pinned", "lego2"), 0.3, bare).selected == run("lego2", {}, 0.3, bare).selected);
  const auto whole = run("combine", with("pinned", "full"), 0.1, bare);
  CHECK(whole.selected == std::vector<int>{0, 1, 2, 3, 45, 46, 47, 48, 49, 50, 51, 115, 116, 117, 118, 119, 120});
}
