// Tempers of the query's attention, APE's own and with a recompute set, against plain loops.
#include "support/cell_case.h"
#include "support/plain_model.h"
#include "support/plain_recompute.h"
#include "support/value_map.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

const RandomModel& model() {
  static const RandomModel files(12);
  return files;
}

Engine& engine() {
  static Engine shared(model(), {"cpu", DType::f32, 2});
  return shared;
}

/// APE's weights: two softmaxes joined by their scaled log-sum-exp.
Row ape_weights(const Row& logits, std::size_t chunks_begin, std::size_t chunks_end, double t, double s, bool paper) {
  const auto chunk = [&](std::size_t j) { return j >= chunks_begin && j < chunks_end; };
  double sum_chunks = 0, sum_others = 0;
  for (std::size_t j = 0; j < logits.size(); ++j) {
    if (logits[j] == -INFINITY) continue;
    (chunk(j) ? sum_chunks : sum_others) += std::exp(chunk(j) ? logits[j] / t : logits[j]);
  }
  const double a = std::pow(sum_chunks, paper ? s : s * t), weight = a / (a + sum_others);
  Row out(logits.size());
  for (std::size_t j = 0; j < logits.size(); ++j) {
    if (logits[j] == -INFINITY) continue;
    out[j] = chunk(j) ? weight * std::exp(logits[j] / t) / sum_chunks : (1 - weight) * std::exp(logits[j]) / sum_others;
  }
  return out;
}

}  // namespace

TEST_CASE("ape: first token's logits and greedy decoding, code's and paper's scale") {
  const PlainModel plain(model());
  const Request request = random_request({6, 19, 12, 15}, true, 9, 4);
  const std::size_t n = 52;
  PlainKv context = plain.reused(request, true, false);  // behind the prefix: chunks stand right behind it already
  for (const auto& [t, s, paper] : {std::tuple{0.9, 0.9, false}, {0.7, 0.8, true}, {1.0, 1.0, false}}) {
    CAPTURE(t, s, paper);
    PlainModel::Change change;
    change.weights = [&, t = t, s = s, paper = paper](std::size_t, const Row& logits) {
      return ape_weights(logits, 6, n, t, s, paper);
    };
    const auto what =
        strategy("ape", map({{"temperature", t}, {"temper_scale", s}, {"lse_scale", paper ? "paper" : "code"}}));
    const int query = 6 + 19;
    PlainRun run = plain.run(request.query_ids, PlainModel::counted(query, 9), context, change);
    const auto cell = run_cell(engine(), request, what, 0);
    CHECK(largest_difference(cell.logits, run.logits) < 1e-3);
    const auto found = answer(engine(), request, what, 0, 6).prediction_ids;
    PlainKv all = context;
    PlainModel::append(all, run.kv);
    std::vector<std::int32_t> expected{best_of(run.logits)};
    while (expected.size() < 6) {
      run = plain.run({expected.back()}, {query + 9 + static_cast<int>(expected.size()) - 1}, all, change);
      PlainModel::append(all, run.kv);
      expected.push_back(best_of(run.logits));
    }
    CHECK(found == expected);
  }
}

TEST_CASE("ape without temper is plain parallel encoding; one chunk is then full prefill") {
  const auto what = strategy("ape", map({{"temperature", 1.0}, {"temper_scale", 1.0}}));
  const Request one = random_request({9, 40}, true, 7, 5);
  CHECK(largest_difference(run_cell(engine(), one, what, 0).logits,
                           run_cell(engine(), one, strategy("full"), 1).logits) < 1e-3F);
  const Request bare = random_request({40}, false, 7, 5);
  CHECK(largest_difference(run_cell(engine(), bare, what, 0).logits,
                           run_cell(engine(), bare, strategy("full"), 1).logits) < 1e-3F);
}

TEST_CASE("a temper goes with any recompute set: chunk logits / T + ln S for the query and decoded tokens") {
  const PlainModel plain(model());
  const Request request = random_request({6, 19, 12, 15}, true, 9, 6);
  const PlainKv cached = plain.reused(request, false);
  const double t = 0.8, s = 0.6;
  const auto what = strategy("epic", map({{"k", std::int64_t{3}}, {"temperature", t}, {"temper_scale", s}}));
  const auto cell = run_cell(engine(), request, what, 0);
  const auto temper = [&](bool query, int key, double logit) {
    return query && key >= 6 && key < 52 ? logit / t + std::log(s) : logit;
  };
  const PlainRecompute once = plain_recompute(plain, request, cached, cell.outcome.selected, temper);
  CHECK(largest_difference(cell.logits, once.run.logits) < 1e-3);
  // Decoded tokens are tempered too: the same as a longer query.
  const auto found = answer(engine(), request, what, 0, 4).prediction_ids;
  Request longer = request;
  for (std::size_t i = 0; i + 1 < found.size(); ++i) {
    longer.query_ids.push_back(found[i]);
    const auto next = plain_recompute(plain, longer, cached, cell.outcome.selected, temper);
    CHECK(best_of(next.run.logits) == found[i + 1]);
  }
}
