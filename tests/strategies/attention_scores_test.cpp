// Scores that read attention, against a second implementation in plain loops (support/plain_model.h).
#include "support/cell_case.h"
#include "support/plain_model.h"
#include "support/value_map.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

const RandomModel& model() {
  static const RandomModel files(11);
  return files;
}

Request make_request() {
  Request request = random_request({6, 19, 12, 15}, true, 9, 3);
  request.question_begin = 2;
  request.question_end = 7;
  request.question_ids = {5, 9, 12, 7};  // tokenised alone it is something else
  return request;
}

void check_scores(const std::vector<float>& found, const Row& expected) {
  double top = 0;
  for (const double e : expected) top = std::max(top, std::abs(e));
  CAPTURE(top);
  CHECK(largest_difference(found, expected) <= 1e-4 * top);
  CHECK(top > 0);
}

std::vector<float> scores_of(const std::string& name, const Value& given, const Request& request) {
  Engine engine(model(), {"cpu", DType::f32, 2});
  return run_cell(engine, request, strategy(name, given), 0.3).outcome.scores;
}

/// Mean over layers of f(probabilities of one layer), context columns only.
template <class Body>
Row mean_over(const PlainRun& run, const std::vector<int>& layers, std::size_t n, const Body& body) {
  Row sum(n);
  for (const int layer : layers) {
    const Row one = body(static_cast<std::size_t>(layer), run.p[static_cast<std::size_t>(layer)]);
    for (std::size_t j = 0; j < n; ++j) sum[j] += one[j] / static_cast<double>(layers.size());
  }
  return sum;
}

/// Mean over heads of row r's attention to key j.
double mean_head(const std::vector<Rows>& p, std::size_t r, std::size_t j) {
  double sum = 0;
  for (const Rows& head : p) sum += head[r][j];
  return sum / static_cast<double>(p.size());
}

/// The whole prompt, and the query behind the chunks' own caches.
struct BothWays {
  PlainRun full;
  PlainKv cached;
  PlainRun reuse;
};
BothWays both_ways(const PlainModel& plain, const Request& request) {
  std::vector<std::int32_t> all = request.context_ids;
  all.insert(all.end(), request.query_ids.begin(), request.query_ids.end());
  PlainKv cached = plain.reused(request, false);
  PlainRun reuse = plain.run(request.query_ids, PlainModel::counted(request.n_context(), 9), cached);
  return {plain.run(all, PlainModel::counted(0, all.size())), std::move(cached), std::move(reuse)};
}

struct Case {
  const char* geometry;
  bool in_place;
};

PlainRun question_run(const PlainModel& plain, const Request& request, const Case& c, bool shared_prefix) {
  PlainKv context = plain.reused(request, shared_prefix, false);
  const std::string geometry = c.geometry;
  const int n = request.n_context();
  int question = n;
  if (geometry == "global") context.positions = PlainModel::counted(0, context.size());
  if (geometry == "hl_hp") question = *std::max_element(context.positions.begin(), context.positions.end()) + 1;
  if (geometry == "tl_tp") {
    for (const Unit& unit : request.units) {
      if (unit.kind == UnitKind::prefix) continue;
      for (int i = unit.begin; i < unit.end; ++i) context.positions[static_cast<std::size_t>(i)] = n - unit.end + i;
    }
  }
  const auto& ids = c.in_place ? request.query_ids : request.question_ids;
  return plain.run(ids, PlainModel::counted(question, ids.size()), context);
}

}  // namespace

TEST_CASE("infoflow: the band, both norms, the three scores, all geometries, both queries") {
  const PlainModel plain(model());
  const Request request = make_request();
  const auto n = static_cast<std::size_t>(request.n_context());
  const std::size_t kv_heads = 2, d = 16;
  for (const Case& c : {Case{"global", false}, {"global", true}, {"hl_hp", false}, {"tl_tp", false}, {"hl_tp", true}}) {
    for (const bool shared : {true, false}) {
      const PlainRun run = question_run(plain, request, c, shared);
      const std::size_t first = c.in_place ? 2 : 0, last = c.in_place ? 7 : 4;
      const PlainKv context = plain.reused(request, shared);
      CAPTURE(c.geometry, c.in_place, shared);
      const auto check = [&](const Value& given, const std::vector<int>& layers, const auto& body) {
        Value all = given;
        all.set("geometry", c.geometry);
        all.set("query", c.in_place ? "in_place" : "question_alone");
        all.set("sink", shared ? "shared_prefix" : "none");
        check_scores(scores_of("infoflow", all, request), mean_over(run, layers, n, body));
      };
      check({}, {2}, [&](std::size_t, const std::vector<Rows>& p) {  // floor(22·4/36) = floor(25·4/36) = 2
        Row out(n);
        for (std::size_t j = 0; j < n; ++j) {
          for (std::size_t r = first; r < last; ++r) out[j] += std::pow(mean_head(p, r, j), 2);
          out[j] = std::sqrt(out[j]);
        }
        return out;
      });
      Value::List layers{Value(std::int64_t{0}), Value(std::int64_t{3})};
      check(map({{"norm", "sum"}, {"layers", layers}}), {0, 3}, [&](std::size_t, const std::vector<Rows>& p) {
        Row out(n);
        for (std::size_t j = 0; j < n; ++j) {
          for (std::size_t r = first; r < last; ++r) out[j] += mean_head(p, r, j);
        }
        return out;
      });
      check(map({{"score", "vatp"}, {"layers", layers}}), {0, 3}, [&](std::size_t layer, const std::vector<Rows>& p) {
        Row out(n);
        for (std::size_t j = 0; j < n; ++j) {
          for (std::size_t h = 0; h < p.size(); ++h) {
            double mass = 0, square = 0;
            for (std::size_t r = first; r < last; ++r) mass += p[h][r][j];
            for (std::size_t i = 0; i < d; ++i)
              square += std::pow(context.v[layer][j][h / (p.size() / kv_heads) * d + i], 2);
            out[j] += mass * std::sqrt(square);
          }
        }
        return out;
      });
      check(map({{"score", "entropy"}}), {2}, [&](std::size_t, const std::vector<Rows>& p) {
        Row out(n);
        for (std::size_t j = 0; j < n; ++j) {
          for (std::size_t r = first; r < last; ++r) {
            const double m = mean_head(p, r, j) + 1e-10;
            out[j] -= m * std::log(m);
          }
        }
        return out;
      });
    }
  }
}

TEST_CASE("infoflow: the first passage ranks last, and one token is taken where int(r*T) is none") {
  Engine engine(model(), {"cpu", DType::f32, 2});
  const Request request = make_request();
  const auto cell = run_cell(engine, request, strategy("infoflow"), 0.4);
  CHECK(cell.outcome.selected.size() == 20);
  CHECK(cell.outcome.selected.front() >= 25);
  CHECK(run_cell(engine, request, strategy("infoflow"), 0.01).outcome.selected.size() == 1);
  CHECK(run_cell(engine, request, strategy("infoflow"), 0).outcome.selected.empty());
  const auto first = run_cell(
      engine, request, strategy("infoflow", map({{"exclude_first_chunk", false}, {"exact_rows", "compete"}})), 0.8);
  CHECK(first.outcome.selected.front() < 25);
}

TEST_CASE("a3 and prophetkv: softmax over context and query, and over the context alone") {
  const PlainModel plain(model());
  const Request request = make_request();
  const auto n = static_cast<std::size_t>(request.n_context());
  const PlainRun run =
      plain.run(request.query_ids, PlainModel::counted(request.n_context(), 9), plain.reused(request, false));
  const auto question_mass = [&](bool context_only) {
    return mean_over(run, {0, 1, 2, 3}, n, [&](std::size_t, const std::vector<Rows>& p) {
      Row out(n);
      for (const Rows& head : p) {
        for (std::size_t r = 2; r < 7; ++r) {
          double seen = 0;
          for (std::size_t j = 0; j < n; ++j) seen += head[r][j];
          for (std::size_t j = 0; j < n; ++j) out[j] += head[r][j] / (context_only ? seen : 1);
        }
      }
      return out;
    });
  };
  check_scores(scores_of("a3", {}, request), question_mass(false));
  check_scores(scores_of("prophetkv", {}, request), question_mass(true));
  check_scores(scores_of("prophetkv", map({{"softmax", "context_and_query"}}), request), question_mass(false));
}

TEST_CASE("the three oracles") {
  const PlainModel plain(model());
  const Request request = make_request();
  const auto n = static_cast<std::size_t>(request.n_context());
  const BothWays ways = both_ways(plain, request);
  const PlainRun &full = ways.full, &reuse = ways.reuse;
  const PlainKv& cached = ways.cached;

  check_scores(scores_of("oracle_attention", {}, request),
               mean_over(full, {0, 1, 2, 3}, n, [&](std::size_t, const std::vector<Rows>& p) {
                 Row out(n);
                 for (const Rows& head : p) {
                   for (std::size_t r = n; r < n + 9; ++r) {
                     double seen = 0;
                     for (std::size_t j = 0; j < n; ++j) seen += head[r][j];
                     for (std::size_t j = 0; j < n; ++j) out[j] += head[r][j] / seen;
                   }
                 }
                 return out;
               }));

  Row deviation(n);
  for (std::size_t l = 0; l < 4; ++l) {
    for (const auto& [fresh, old] : {std::pair{&full.kv.k[l], &cached.k[l]}, {&full.kv.v[l], &cached.v[l]}}) {
      Row one(n);
      double mean = 0;
      for (std::size_t j = 6; j < n; ++j) {  // the prefix is exact
        for (std::size_t i = 0; i < (*old)[j].size(); ++i) one[j] += std::pow((*fresh)[j][i] - (*old)[j][i], 2);
        mean += one[j] / static_cast<double>(n);
      }
      if (l == 0) continue;  // layer 0 depends on token and position only; its noise is divided by 1 in float, not here
      for (std::size_t j = 0; j < n; ++j) deviation[j] += one[j] / mean;
    }
  }
  const auto found = scores_of("oracle_kv", {}, request);
  REQUIRE(found.size() == n);
  for (std::size_t j = 0; j < n; ++j) CHECK(found[j] == Approx(deviation[j]).margin(0.02).epsilon(1e-3));

  Row change(n);
  for (std::size_t l = 0; l < 4; ++l) {
    for (std::size_t h = 0; h < 6; ++h) {
      for (std::size_t r = 0; r < 9; ++r) {
        for (std::size_t j = 0; j < n; ++j) {
          double square = 0;
          for (std::size_t i = 0; i < 16; ++i) {
            square += std::pow(full.p[l][h][n + r][j] * full.kv.v[l][j][h / 3 * 16 + i] -
                                   reuse.p[l][h][r][j] * cached.v[l][j][h / 3 * 16 + i],
                               2);
          }
          change[j] += std::sqrt(square);
        }
      }
    }
  }
  check_scores(scores_of("oracle_output", {}, request), change);
}

TEST_CASE("kvshare: query attention at the check layer times the values' change") {
  const PlainModel plain(model());
  const Request request = make_request();
  const auto n = static_cast<std::size_t>(request.n_context());
  const BothWays ways = both_ways(plain, request);
  const PlainRun &full = ways.full, &reuse = ways.reuse;
  const PlainKv& cached = ways.cached;
  Row expected(n);
  for (std::size_t j = 6; j < n; ++j) {
    double attention = 0, change = 0;
    for (std::size_t h = 0; h < 6; ++h) {
      for (std::size_t r = 0; r < 9; ++r) {
        double seen = 0;
        for (std::size_t k = 0; k < n; ++k) seen += reuse.p[1][h][r][k];
        attention += reuse.p[1][h][r][j] / seen;
      }
    }
    for (std::size_t i = 0; i < 32; ++i) change += std::pow(full.kv.v[1][j][i] - cached.v[1][j][i], 2);
    expected[j] = attention * change;
  }
  check_scores(scores_of("kvshare", {}, request), expected);
}
