// AgentKVShift, SpecCache and FusionRAG against plain loops.
#include "paths.h"
#include "recompute/auxiliary.h"
#include "recompute/nearest.h"
#include "support/cell_case.h"
#include "support/plain_model.h"
#include "support/plain_recompute.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

const RandomModel& model() {
  static const RandomModel files(15);
  return files;
}

}  // namespace

TEST_CASE("agentkvshift: what is not recomputed moves by its chunk's mean change") {
  const PlainModel plain(model());
  Engine engine(model(), {"cpu", DType::f32, 2});
  const Request request = random_request({6, 21, 16, 19}, true, 9, 6);
  const PlainKv cached = plain.reused(request, false);
  const auto cell = run_cell(engine, request, strategy("agentkvshift"), 0.3);
  CHECK(cell.outcome.selected == std::vector<int>{6, 9, 13, 16, 20, 23, 27, 31, 35, 39, 43, 46, 50, 54, 58});
  const auto unit_of = [&](int i) { return i < 6 ? 0 : i < 27 ? 1 : i < 43 ? 2 : 3; };
  const auto shift = [&](const PlainRecompute& which, int layer, PlainKv& context, PlainKv& own) {
    const auto l = static_cast<std::size_t>(layer);
    for (const auto& [kv_own, kv_context, kv_cached] :
         {std::tuple{&own.k[l], &context.k[l], &cached.k[l]}, {&own.v[l], &context.v[l], &cached.v[l]}}) {
      for (int unit = 1; unit < 4; ++unit) {
        Row mean(kv_own->front().size());
        int count = 0;
        for (std::size_t r = 0; r < which.own.size(); ++r) {
          if (which.own[r] >= 62 || unit_of(which.own[r]) != unit) continue;
          ++count;
          for (std::size_t c = 0; c < mean.size(); ++c) {
            mean[c] += (*kv_own)[r][c] - (*kv_cached)[static_cast<std::size_t>(which.own[r])][c];
          }
        }
        for (std::size_t j = 0; j < which.context.size(); ++j) {
          if (unit_of(which.context[j]) != unit) continue;
          for (std::size_t c = 0; c < mean.size(); ++c) (*kv_context)[j][c] += mean[c] / count;
        }
      }
    }
  };
  const auto expected = plain_recompute(plain, request, cached, cell.outcome.selected, {}, shift);
  CHECK(largest_difference(cell.logits, expected.run.logits) < 1e-3);
  // Decoding reads the moved rows too.
  RunnerOptions options;
  options.decode.max_new_tokens = 4;
  const CellSpec spec{strategy("agentkvshift"), 0.3};
  const auto found = run_request(engine, request, std::span(&spec, 1), options).front().prediction_ids;
  Request longer = request;
  for (std::size_t i = 0; i + 1 < found.size(); ++i) {
    longer.query_ids.push_back(found[i]);
    CHECK(best_of(plain_recompute(plain, longer, cached, cell.outcome.selected, {}, shift).run.logits) == found[i + 1]);
  }
}

TEST_CASE("speccache: norms of the auxiliary model's last hidden states") {
  const std::string tiny = source_folder() + "/tests/data/models/tiny-llama.gguf";
  const auto files = open_model(tiny);
  const PlainModel plain(*files);
  const Request request = random_request({6, 21, 16}, true, 9, 6);
  const Request aux = retokenize(request, *make_tokenizer(*files), "tiny");
  const PlainRun full = plain.run(aux.context_ids, PlainModel::counted(0, aux.context_ids.size()));
  Engine engine(model(), {"cpu", DType::f32, 2});
  for (const int layer : {1, files->config().n_layers}) {
    Value params{Value::Map{}};
    params.set("aux_model", tiny);
    if (layer == 1) params.set("layer", std::int64_t{1});
    const auto scores = run_cell(engine, request, strategy("speccache", params), 0.3).outcome.scores;
    for (int t = 0; t < request.n_context(); ++t) {
      double expected = 0;
      for (std::size_t a = 0; a < aux.context_ids.size(); ++a) {
        const auto y = static_cast<std::size_t>(t);
        if (aux.token_begin[a] >= request.token_end[y] || aux.token_end[a] <= request.token_begin[y]) continue;
        double square = 0;
        for (const double h : full.hidden[static_cast<std::size_t>(layer)][a]) square += h * h;
        expected = std::max(expected, std::sqrt(square));
      }
      CHECK(scores[static_cast<std::size_t>(t)] == Approx(expected).epsilon(1e-4));
    }
  }
}

TEST_CASE("the nearest chunks share most words, the nearest stands last") {
  Request request;
  request.units = {
      {UnitKind::prefix, 0, 2}, {UnitKind::chunk, 2, 6}, {UnitKind::chunk, 6, 10}, {UnitKind::chunk, 10, 14}};
  request.context_ids = {1, 2, 10, 11, 12, 13, 20, 21, 12, 13, 10, 11, 12, 30};
  CHECK(nearest_chunks(request, 1, 1) == std::vector<int>{3});
  CHECK(nearest_chunks(request, 1, 2) == std::vector<int>{2, 3});
  CHECK(nearest_chunks(request, 2, 9) == std::vector<int>{3, 1});
  CHECK(nearest_chunks(request, 2, 0).empty());
}

TEST_CASE("fusionrag: chunks are prefilled behind their neighbours, whose rows are dropped") {
  const PlainModel plain(model());
  Engine engine(model(), {"cpu", DType::f32, 2});
  const Request request = random_request({6, 21, 16, 19}, true, 9, 6);
  for (const int count : {1, 2}) {
    PlainKv cached;
    for (std::size_t u = 0; u < request.units.size(); ++u) {
      const auto ids_of = [&](std::size_t v) {
        const Unit& unit = request.units[v];
        return std::vector<std::int32_t>(request.context_ids.begin() + unit.begin,
                                         request.context_ids.begin() + unit.end);
      };
      std::vector<std::int32_t> before;
      if (u > 0) {
        for (const int near : nearest_chunks(request, static_cast<int>(u), count)) {
          const auto ids = ids_of(static_cast<std::size_t>(near));
          before.insert(before.end(), ids.begin(), ids.end());
        }
      }
      PlainModel::append(cached, plain.prefill_unit(before, ids_of(u)));
    }
    cached.positions = PlainModel::counted(0, 62);
    Value params{Value::Map{}};
    params.set("neighbours", std::int64_t{count});
    const auto cell = run_cell(engine, request, strategy("fusionrag", params), 0.25);
    CHECK(cell.outcome.selected.size() == 15);
    const auto expected = plain_recompute(plain, request, cached, cell.outcome.selected);
    CHECK(largest_difference(cell.logits, expected.run.logits) < 1e-3);
    const auto reuse = run_cell(engine, request, strategy("reuse", params), 0);
    CHECK(largest_difference(reuse.logits, plain_recompute(plain, request, cached, {}).run.logits) < 1e-3);
  }
}
