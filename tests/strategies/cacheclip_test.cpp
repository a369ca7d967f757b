// CacheClip: another model with another tokenizer scores, tokens go in groups (arXiv 2510.10129).
#include <algorithm>

#include "auxiliary_model.h"
#include "core/error.h"
#include "recompute/auxiliary.h"
#include "support/plain_model.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

/// Scores of the auxiliary model's tokens, in plain loops.
Row plain_scores(const PlainModel& plain, const Request& aux, bool joint, bool last, int n_layers) {
  Row out(static_cast<std::size_t>(aux.n_context()));
  const auto q = static_cast<std::size_t>(aux.n_query());
  const auto add = [&](const PlainKv& context, std::size_t from, std::size_t to, std::size_t at) {
    const PlainRun run = plain.run(aux.query_ids, PlainModel::counted(static_cast<int>(context.size()), q), context);
    const auto& heads = run.p[static_cast<std::size_t>(n_layers) - 1];
    for (const Rows& head : heads) {
      for (std::size_t r = last ? q - 1 : 0; r < q; ++r) {
        for (std::size_t j = from; j < to; ++j) {
          out[at + j - from] += head[r][j] / static_cast<double>(heads.size()) / static_cast<double>(last ? 1 : q);
        }
      }
    }
  };
  const PlainKv all = plain.reused(aux, true);
  const std::size_t prefix = static_cast<std::size_t>(aux.units[0].end);
  if (joint) {
    add(all, 0, all.size(), 0);
    return out;
  }
  for (std::size_t u = 1; u < aux.units.size(); ++u) {
    const auto begin = static_cast<std::size_t>(aux.units[u].begin), end = static_cast<std::size_t>(aux.units[u].end);
    PlainKv context = PlainModel::part(all, 0, prefix);
    PlainModel::append(context, PlainModel::part(all, begin, end));
    context.positions = PlainModel::counted(0, context.size());
    add(context, prefix, context.size(), begin);
  }
  return out;
}

}  // namespace

TEST_CASE("cacheclip's scores are the auxiliary model's last-layer attention") {
  const auto files = open_model(auxiliary_file());
  const PlainModel plain(*files);
  const Request request = random_request({8, 31, 24, 40}, true, 11, 3);
  const Request aux = retokenize(request, *make_tokenizer(*files), "tiny");
  Engine engine(primary_model(), {"cpu", DType::f32, 2});
  for (const bool joint : {false, true}) {
    for (const bool last : {false, true}) {
      CAPTURE(joint, last);
      const auto cell = run_cell(engine, request,
                                 strategy("cacheclip", with_auxiliary({{"softmax", joint ? "joint" : "per_chunk"},
                                                                       {"query", last ? "last" : "all"}})),
                                 0.3);
      const Row scores = plain_scores(plain, aux, joint, last, files->config().n_layers);
      double top = 0;
      for (const double s : scores) top = std::max(top, s);
      for (int t = 8; t < request.n_context(); ++t) {
        double expected = 0;
        for (int a = aux.units[0].end; a < aux.n_context(); ++a) {
          const auto x = static_cast<std::size_t>(a), y = static_cast<std::size_t>(t);
          const bool overlap = aux.token_begin[x] < request.token_end[y] && aux.token_end[x] > request.token_begin[y];
          if (overlap) expected = std::max(expected, scores[x]);
        }
        CHECK(std::abs(cell.outcome.scores[static_cast<std::size_t>(t)] - expected) < 1e-4 * top);
      }
    }
  }
}

TEST_CASE(
    "learned positions: a chunk cached right behind the prefix is scored as a full prefill would, one that is not is "
    "not") {
  const RandomModel files = random_model("gpt2", 5);
  Engine engine(files, {"cpu", DType::f32, 2});
  const Request request = random_request({8, 31, 24, 40}, true, 11, 3);
  AttentionProbe what;
  what.rows = AttentionProbe::Rows::suffix;
  what.softmax = AttentionProbe::Softmax::context_and_query;
  what.heads = AttentionProbe::Heads::mean;
  what.layers = {files.config().n_layers - 1};
  for (const SinkKind sink : {SinkKind::shared_prefix, SinkKind::none}) {
    CAPTURE(enum_name(sink));
    const ReuseKey key{.sink = sink};
    ReusedContext context(engine, request, key, 1);
    RequestProbe probe(engine, context, "");
    const auto by_chunk = probe.attention_by_chunk(what).front();
    LargestDifference worst;
    for (std::size_t u = 1; u < request.units.size(); ++u) {
      const Unit unit = request.units[u];
      Request alone = request;  // prefix, this chunk and the query
      alone.units = {request.units[0], {UnitKind::chunk, 8, 8 + unit.size()}};
      alone.context_ids.resize(8);
      alone.context_ids.insert(alone.context_ids.end(), request.context_ids.begin() + unit.begin,
                               request.context_ids.begin() + unit.end);
      ReusedContext alone_context(engine, alone, key, 1);
      RequestProbe alone_probe(engine, alone_context, "");
      AttentionProbe exact = what;
      exact.cache = CacheSource::full;
      const auto row = alone_probe.attention(exact).front();
      for (int i = 0; i < unit.size(); ++i) {
        const auto found = by_chunk[static_cast<std::size_t>(unit.begin + i)];
        worst.add(found, row[static_cast<std::size_t>(8 + i)]);
      }
    }
    if (sink == SinkKind::shared_prefix) {
      CHECK(worst.value() < 1e-5);
    } else {
      CHECK(worst.value() >= 1e-5);
    }
  }

  const auto check = [&](const std::string& name, const Value& value) {
    check_auxiliary(*strategy(name, value), auxiliary_file(), files.config());
  };
  CHECK_NOTHROW(check("cacheclip", with_auxiliary()));
  for (const auto& [option, value] :
       {std::pair<const char*, Value>{"softmax", "joint"}, {"sink", "none"}, {"neighbours", 1}}) {
    CAPTURE(option);
    const Value moves = with_auxiliary({{option, value}});
    CHECK_THROWS_WITH(check("cacheclip", moves), Catch::Contains("it learns its positions"));
    CHECK_NOTHROW(check_auxiliary(*strategy("cacheclip", moves), auxiliary_file(), primary_model().config()));
  }
  for (const int layer : {0, 4, 5}) {
    const Value deep = with_auxiliary({{"layer", layer}});
    if (layer <= 4)
      CHECK_NOTHROW(check("speccache", deep));
    else
      CHECK_THROWS_WITH(check("speccache", deep), Catch::Contains("layer 5 is past the 4 layers it has"));
  }
  Value inside{Value::Map{}}, part{Value::Map{}};
  part.set("cacheclip", with_auxiliary({{"softmax", "joint"}}));
  inside.set("scores", Value::List{part});
  CHECK_THROWS_WITH(check("combine", inside), Catch::Contains("it learns its positions"));
  // A caller that did not ask beforehand gets the cell's error.
  const CellSpec late{strategy("speccache", with_auxiliary({{"layer", 9}})), 0.2};
  Engine primary(primary_model(), {"cpu", DType::f32, 2});
  CHECK_THAT(run_request(primary, random_request({8, 31}, true, 11), std::span(&late, 1), {}).front().error,
             Catch::Contains("layer 9 is past"));
}

TEST_CASE("with refill the nominal ratio of the chunks is met, without it the selection is smaller") {
  Engine engine(primary_model(), {"cpu", DType::f32, 2});
  const Request request = random_request({8, 60, 60, 60}, true, 11, 5);
  for (const double ratio : {0.1, 0.2, 0.5}) {
    CAPTURE(ratio);
    const auto full = run_cell(engine, request, strategy("cacheclip", with_auxiliary()), ratio);
    const auto bare = run_cell(engine, request, strategy("cacheclip", with_auxiliary({{"refill", false}})), ratio);
    CHECK(full.outcome.selected.size() >= static_cast<std::size_t>(ratio * 180));
    CHECK(std::includes(full.outcome.selected.begin(), full.outcome.selected.end(), bare.outcome.selected.begin(),
                        bare.outcome.selected.end()));
    if (bare.outcome.selected.size() < static_cast<std::size_t>(ratio * 180)) {
      CHECK(full.outcome.selected.size() == static_cast<std::size_t>(ratio * 180));
    }
    CHECK((full.outcome.selected.empty() || full.outcome.selected.front() >= 8));
  }
}
