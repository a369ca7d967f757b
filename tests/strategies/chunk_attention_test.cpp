// Cache-Craft and QCFuse against plain loops: attention between chunks, and a query that meets anchors only.
#include <algorithm>
#include <set>

#include "support/cell_case.h"
#include "support/plain_model.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

constexpr int kHeads = 6, kKvHeads = 2, kDim = 16;

const RandomModel& model() {
  static const RandomModel files(17);
  return files;
}

Request make_request() {
  Request request = random_request({6, 21, 9, 16}, true, 9, 4);
  request.question_begin = 3;
  request.question_end = 8;
  return request;
}

/// Attention of each token to earlier chunks and to its own chunk, by layer 1 of a full prefill.
struct Shares {
  std::vector<double> earlier, own;
};

Shares shares_of(const PlainModel& plain, const Request& request) {
  const PlainRun full = plain.run(request.context_ids, PlainModel::counted(0, request.context_ids.size()));
  Shares out{std::vector<double>(request.context_ids.size()), std::vector<double>(request.context_ids.size())};
  for (std::size_t u = 1; u < request.units.size(); ++u) {
    for (int j = request.units[u].begin; j < request.units[u].end; ++j) {
      for (const Rows& head : full.p[1]) {
        for (int k = request.units[0].end; k <= j; ++k) {
          (k < request.units[u].begin ? out.earlier : out.own)[static_cast<std::size_t>(j)] +=
              head[static_cast<std::size_t>(j)][static_cast<std::size_t>(k)];
        }
      }
    }
  }
  return out;
}

/// A chunk's tokens with most attention to earlier chunks.
std::vector<int> best_of_chunk(const Shares& shares, const Unit& unit, int count) {
  std::vector<int> rows;
  for (int i = unit.begin; i < unit.end; ++i) rows.push_back(i);
  std::stable_sort(rows.begin(), rows.end(), [&](int a, int b) {
    return shares.earlier[static_cast<std::size_t>(a)] > shares.earlier[static_cast<std::size_t>(b)];
  });
  rows.resize(static_cast<std::size_t>(count));
  return rows;
}

double cci_of(const Shares& shares, const Unit& unit) {
  double earlier = 0, own = 0;
  for (int i = unit.begin; i < unit.end; ++i) {
    earlier += shares.earlier[static_cast<std::size_t>(i)] / unit.size();
    own += shares.own[static_cast<std::size_t>(i)] / unit.size();
  }
  return 1 / (1 + std::exp(-earlier / own));
}

}  // namespace

TEST_CASE("cachecraft: each chunk's share by how much it attends to others, its tokens by the same") {
  const PlainModel plain(model());
  const Request request = make_request();
  const Shares shares = shares_of(plain, request);
  Engine engine(model(), {"cpu", DType::f32, 2});

  Value params{Value::Map{}};
  params.set("alpha", 0.4);
  const auto fixed = run_cell(engine, request, strategy("cachecraft", params), 0).outcome;
  CHECK_FALSE(strategy("cachecraft", params)->info.uses_ratio);
  std::vector<int> expected;
  for (const std::size_t u : {2U, 3U}) {
    const Unit& unit = request.units[u];
    const int count = static_cast<int>(std::ceil(0.4 * cci_of(shares, unit) * unit.size()));
    CHECK(count > 1);
    for (const int i : best_of_chunk(shares, unit, count)) expected.push_back(i);
  }
  std::sort(expected.begin(), expected.end());
  CHECK(fixed.selected == expected);
  double top = 0;
  for (const double s : shares.earlier) top = std::max(top, s);
  REQUIRE(fixed.scores.size() == shares.earlier.size());
  for (std::size_t j = 0; j < fixed.scores.size(); ++j) {
    CHECK(fixed.scores[j] == Approx(shares.earlier[j]).margin(1e-4 * top));
  }

  // At a ratio: the shares grow together until the budget is used up, a token at a time in the order of their thresholds.
  std::vector<std::pair<double, std::size_t>> thresholds;
  for (const std::size_t u : {2U, 3U}) {
    const Unit& unit = request.units[u];
    for (int m = 0; m < unit.size(); ++m) thresholds.emplace_back(m / (cci_of(shares, unit) * unit.size()), u);
  }
  std::sort(thresholds.begin(), thresholds.end());
  for (const double ratio : {0.1, 0.3}) {
    const int k = static_cast<int>(ratio * request.n_context());
    std::map<std::size_t, int> counts;
    for (int i = 0; i < k; ++i) ++counts[thresholds[static_cast<std::size_t>(i)].second];
    std::vector<int> taken;
    for (const auto& [u, count] : counts) {
      for (const int i : best_of_chunk(shares, request.units[u], count)) taken.push_back(i);
    }
    std::sort(taken.begin(), taken.end());
    CHECK(run_cell(engine, request, strategy("cachecraft"), ratio).outcome.selected == taken);
  }
  CHECK(run_cell(engine, request, strategy("cachecraft"), 0).outcome.selected.empty());
}

TEST_CASE("qcfuse: the query meets anchors only; all tokens are scored in the critical layer") {
  const PlainModel plain(model());
  const Request request = make_request();
  const auto n = static_cast<std::size_t>(request.n_context());
  const PlainKv cached = plain.reused(request, false);
  const std::size_t layer = 2;  // floor(22·4/36) = floor(25·4/36)
  for (const int count : {3, 16}) {
    std::set<int> met;
    for (const Unit& unit : request.units) {
      Row mean(kKvHeads * kDim);
      for (int i = unit.begin; i < unit.end; ++i) {
        for (std::size_t c = 0; c < mean.size(); ++c) mean[c] += cached.k[layer][static_cast<std::size_t>(i)][c];
      }
      std::vector<std::pair<double, int>> order;
      for (int i = unit.begin; i < unit.end; ++i) {
        const Row& k = cached.k[layer][static_cast<std::size_t>(i)];
        double dot = 0, kk = 0, mm = 0;
        for (std::size_t c = 0; c < k.size(); ++c) dot += k[c] * mean[c], kk += k[c] * k[c], mm += mean[c] * mean[c];
        order.emplace_back(-dot / std::sqrt(kk * mm), i);
      }
      std::sort(order.begin(), order.end());
      const auto anchors = unit.kind == UnitKind::prefix ? order.size() : static_cast<std::size_t>(count);
      for (std::size_t a = 0; a < std::min(anchors, order.size()); ++a) met.insert(order[a].second);
    }
    PlainModel::Change change;
    change.sees = [&](std::size_t row, std::size_t key) {
      return key < n ? met.contains(static_cast<int>(key)) : key <= n + row;
    };
    const std::vector<int> positions = PlainModel::counted(request.n_context(), request.query_ids.size());
    const PlainRun run = plain.run(request.query_ids, positions, cached, change);
    Row expected(n);
    for (std::size_t r = 3; r < 8; ++r) {
      const Row q = plain.rotate(run.q[layer][r], positions[r]);
      for (std::size_t h = 0; h < kHeads; ++h) {
        Row logits(n);
        for (std::size_t j = 0; j < n; ++j) {
          const Row k = plain.rotate(cached.k[layer][j], static_cast<int>(j));
          for (std::size_t i = 0; i < kDim; ++i) {
            logits[j] += q[h * kDim + i] * k[h / (kHeads / kKvHeads) * kDim + i] / std::sqrt(static_cast<double>(kDim));
          }
        }
        const Row p = PlainModel::softmax(logits);
        for (std::size_t j = 0; j < n; ++j) expected[j] += p[j];
      }
    }
    Value params{Value::Map{}};
    params.set("anchors", std::int64_t{count});
    Engine engine(model(), {"cpu", DType::f32, 2});
    const auto scores = run_cell(engine, request, strategy("qcfuse", params), 0.3).outcome.scores;
    REQUIRE(scores.size() == n);
    const double top = *std::max_element(expected.begin(), expected.end());
    for (std::size_t j = 0; j < n; ++j) CHECK(scores[j] == Approx(expected[j]).margin(1e-4 * top));
  }
}
