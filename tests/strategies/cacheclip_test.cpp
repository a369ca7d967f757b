// CacheClip: another model with another tokenizer scores, tokens go in groups (arXiv 2510.10129).
#include <set>

#include "core/error.h"
#include "paths.h"
#include "recompute/auxiliary.h"
#include "strategies/token_groups.h"
#include "support/cell_case.h"
#include "support/plain_model.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

std::string tiny() { return source_folder() + "/tests/data/models/tiny-llama.gguf"; }

Value params(std::initializer_list<std::pair<const char*, Value>> entries) {
  Value out{Value::Map{}};
  out.set("aux_model", tiny());
  for (const auto& [key, value] : entries) out.set(key, value);
  return out;
}

const RandomModel& model() {
  static const RandomModel files(13);
  return files;
}

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

TEST_CASE("units are tokenised alone, with spans in the same text") {
  const Request request = random_request({8, 31, 24}, true, 11);
  const auto files = open_model(tiny());
  const auto tokenizer = make_tokenizer(*files);
  const Request aux = retokenize(request, *tokenizer, "tiny");
  REQUIRE(aux.units.size() == 3);
  for (std::size_t u = 0; u < 3; ++u) {
    const auto bytes = [](const Request& r, const Unit& unit) {
      return std::pair{r.token_begin[static_cast<std::size_t>(unit.begin)],
                       r.token_end[static_cast<std::size_t>(unit.end) - 1]};
    };
    CHECK(bytes(aux, aux.units[u]) == bytes(request, request.units[u]));
    const auto [begin, end] = bytes(request, request.units[u]);
    CHECK(tokenizer->ids(request.text.substr(begin, end - begin)) ==
          std::vector<std::int32_t>(aux.context_ids.begin() + aux.units[u].begin,
                                    aux.context_ids.begin() + aux.units[u].end));
  }
  Request bare = request;
  bare.text.clear();
  CHECK_THROWS_WITH(retokenize(bare, *tokenizer, "tiny"), Catch::Contains("needs the prompt's text"));
  Engine engine(model(), {"cpu", DType::f32, 2});
  const auto cacheclip = strategy("cacheclip", params({}));
  const std::vector<CellSpec> cells{{cacheclip, 0.2}, {cacheclip, 0.4}, {strategy("infoflow"), 0.2}};
  const auto outcomes = run_request(engine, bare, cells, {});
  for (const std::size_t i : {0, 1}) CHECK_THAT(outcomes[i].error, Catch::Contains("needs the prompt's text"));
  CHECK(outcomes[2].error.empty());  // it shares the probe
}

TEST_CASE("cacheclip's scores are the auxiliary model's last-layer attention") {
  const auto files = open_model(tiny());
  const PlainModel plain(*files);
  const Request request = random_request({8, 31, 24, 40}, true, 11, 3);
  const Request aux = retokenize(request, *make_tokenizer(*files), "tiny");
  Engine engine(model(), {"cpu", DType::f32, 2});
  for (const bool joint : {false, true}) {
    for (const bool last : {false, true}) {
      CAPTURE(joint, last);
      const auto cell = run_cell(
          engine, request,
          strategy("cacheclip", params({{"softmax", joint ? "joint" : "per_chunk"}, {"query", last ? "last" : "all"}})),
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
    check_auxiliary(*strategy(name, value), tiny(), files.config());
  };
  CHECK_NOTHROW(check("cacheclip", params({})));
  for (const auto& [option, value] :
       {std::pair<const char*, Value>{"softmax", "joint"}, {"sink", "none"}, {"neighbours", 1}}) {
    CAPTURE(option);
    const Value moves = params({{option, value}});
    CHECK_THROWS_WITH(check("cacheclip", moves), Catch::Contains("it learns its positions"));
    CHECK_NOTHROW(check_auxiliary(*strategy("cacheclip", moves), tiny(), model().config()));
  }
  for (const int layer : {0, 4, 5}) {
    const Value deep = params({{"layer", layer}});
    if (layer <= 4)
      CHECK_NOTHROW(check("speccache", deep));
    else
      CHECK_THROWS_WITH(check("speccache", deep), Catch::Contains("layer 5 is past the 4 layers it has"));
  }
  Value inside{Value::Map{}}, part{Value::Map{}};
  part.set("cacheclip", params({{"softmax", "joint"}}));
  inside.set("scores", Value::List{part});
  CHECK_THROWS_WITH(check("combine", inside), Catch::Contains("it learns its positions"));
  // A caller that did not ask beforehand gets the cell's error.
  const CellSpec late{strategy("speccache", params({{"layer", 9}})), 0.2};
  Engine primary(model(), {"cpu", DType::f32, 2});
  CHECK_THAT(run_request(primary, random_request({8, 31}, true, 11), std::span(&late, 1), {}).front().error,
             Catch::Contains("layer 9 is past"));
}

TEST_CASE("windows: dense ones are taken whole, isolated candidates dropped, chunks end them") {
  TokenGroups groups;
  groups.request.units = {
      {UnitKind::prefix, 0, 4}, {UnitKind::chunk, 4, 24}, {UnitKind::chunk, 24, 34}, {UnitKind::chunk, 34, 36}};
  groups.request.context_ids.resize(36);
  groups.scores.assign(36, 0);
  groups.last.assign(36, 0);
  for (const int i : {5, 6, 8, 9, 11, 20, 30, 31, 32, 33, 2}) groups.scores[static_cast<std::size_t>(i)] = 1;
  // 32 chunk tokens at 10/32: exactly the ten marked ones of the chunks; token 2 is the prefix's.
  const auto found = groups.dense_windows(10.0 / 32, 8, 5);
  CHECK(found == std::vector<int>{5, 6, 7, 8, 9, 10, 11, 12});  // [5, 13) holds five; [30, 34) only four; 20 is alone
  CHECK(groups.dense_windows(10.0 / 32, 8, 4) == std::vector<int>{5, 6, 7, 8, 9, 10, 11, 12, 13, 30, 31, 32, 33});
  CHECK(groups.dense_windows(1, 8, 5).size() == 32);  // a chunk shorter than the density needs all it has
  CHECK(groups.dense_windows(0, 8, 5).empty());
  groups.last[30] = groups.last[31] = groups.last[32] = groups.last[33] = 1;
  CHECK(groups.dense_windows(6.0 / 32, 8, 5) == std::vector<int>{5, 6, 7, 8, 9, 10, 11, 12});
  const auto windows = groups.windows_by_score(8);
  CHECK(windows.size() == 32);
  CHECK(windows.front() == std::vector<int>{4, 5, 6, 7, 8, 9, 10, 11});  // five; ties by index
}

TEST_CASE("tokens of two tokenisations meet by bytes") {
  Request a, b;
  a.context_ids = {0, 0, 0};
  a.token_begin = {0, 4, 7};
  a.token_end = {4, 7, 9};
  b.context_ids = {0, 0, 0, 0};
  b.token_begin = {0, 2, 5, 7};
  b.token_end = {2, 5, 7, 9};
  CHECK(overlapping_tokens(a, {0}, b) == std::vector<int>{0, 1});
  CHECK(overlapping_tokens(a, {1}, b) == std::vector<int>{1, 2});
  CHECK(overlapping_tokens(a, {0, 1}, b) == std::vector<int>{0, 1, 2});
  CHECK(overlapping_scores(a, {1, 3, 2}, b) == std::vector<float>{1, 3, 3, 2});
}

TEST_CASE("with refill the nominal ratio of the chunks is met, without it the selection is smaller") {
  Engine engine(model(), {"cpu", DType::f32, 2});
  const Request request = random_request({8, 60, 60, 60}, true, 11, 5);
  for (const double ratio : {0.1, 0.2, 0.5}) {
    CAPTURE(ratio);
    const auto full = run_cell(engine, request, strategy("cacheclip", params({})), ratio);
    const auto bare = run_cell(engine, request, strategy("cacheclip", params({{"refill", false}})), ratio);
    CHECK(full.outcome.selected.size() >= static_cast<std::size_t>(ratio * 180));
    CHECK(std::includes(full.outcome.selected.begin(), full.outcome.selected.end(), bare.outcome.selected.begin(),
                        bare.outcome.selected.end()));
    if (bare.outcome.selected.size() < static_cast<std::size_t>(ratio * 180)) {
      CHECK(full.outcome.selected.size() == static_cast<std::size_t>(ratio * 180));
    }
    CHECK((full.outcome.selected.empty() || full.outcome.selected.front() >= 8));
  }
}

TEST_CASE("opening the auxiliary model is not selection time") {
  const Request request = random_request({8, 60, 60}, true, 11, 5);
  const CellSpec cell{strategy("cacheclip", params({})), 0.2};
  Engine engine(model(), {"cpu", DType::f32, 2});
  ReusedContext context(engine, request, reuse_key(cell.strategy->options), 1);
  RequestProbe probe(engine, context, "");
  probe.start_charging();
  const double before = probe.computed_seconds();
  probe.auxiliary(tiny(), [](Probe&) {});
  // Everything but tokenising was accounted as done for somebody else, and nothing of it charged.
  CHECK(probe.computed_seconds() > before);
  CHECK(probe.charged_seconds(nullptr, 0) == Approx(0).margin(1e-9));
  CHECK(probe.charged_ops().flops == 0);
}

TEST_CASE("an auxiliary pass hides behind the loading and placing that it ran beside, and behind nothing else") {
  const Request request = random_request({8, 60, 60}, true, 11, 5);
  const auto cacheclip = strategy("cacheclip", params({}));
  const auto pass = [](Probe& auxiliary) { auxiliary.hidden_norm(auxiliary.n_layers()); };
  for (const LoadFrom from : {LoadFrom::device, LoadFrom::host}) {
    Engine engine(model(), {"cpu", DType::f32, 2}, {.load_from = from});
    ReusedContext context(engine, request, reuse_key(cacheclip->options), 1);
    RequestProbe probe(engine, context, "");
    probe.start_charging();
    probe.auxiliary(tiny(), pass);
    const double placed = context.placed_meanwhile().seconds;
    CHECK((placed > 0) == (from == LoadFrom::host));
    const auto& own = context.placed(Placement::global, probe.ledger());
    own.base->layer(model().config().n_layers - 1);
    CHECK(context.placed_meanwhile().seconds == placed);  // no layer was left for later

    const double full = probe.charged_seconds(&own.charge, 0);
    REQUIRE(full > 0);
    for (const double share : {0.0, 0.25, 1.0, 3.0}) {
      CAPTURE(share);
      CHECK(probe.charged_seconds(&own.charge, share * full) ==
            Approx(std::max(0.0, full - share * full)).margin(1e-12));
    }
    // A probe that had the base placed before leaves nothing to run beside.
    probe.start_charging();
    probe.attention({});
    const double before = probe.charged_seconds(&own.charge, 0);
    probe.auxiliary(tiny(), pass);
    CHECK(probe.charged_seconds(&own.charge, 0) == Approx(before + full));
    CHECK(probe.charged_seconds(&own.charge, 9 * full) == Approx(before + full));
    // As a cell is told: what was exposed, and what choosing took by itself.
    CellRun cell(engine, probe, cacheclip, 0.2, 1);
    cell.prefill();
    const PhaseSeconds& s = cell.outcome().seconds;
    const auto& charge = context.placed(Placement::global, probe.ledger()).charge;
    CHECK(s.place == charge.cost.seconds);
    const double auxiliary = probe.charged_seconds(&charge, 0);
    CHECK(auxiliary > 0);
    CHECK(s.select >= std::max(0.0, auxiliary - s.load - s.place) - 1e-9);
  }
}

TEST_CASE("the auxiliary pass is charged: FLOPs in full") {
  const Request request = random_request({8, 60, 60}, true, 11, 5);
  const std::vector<CellSpec> cells{
      {strategy("reuse"), 0}, {strategy("cacheclip", params({})), 0.2}, {strategy("cacheclip", params({})), 0.4}};
  RunnerOptions options;
  Engine engine(model(), {"cpu", DType::f32, 2});
  const auto together = run_request(engine, request, cells, options);
  for (std::size_t i = 1; i < 3; ++i) {
    REQUIRE(together[i].error.empty());
    Engine alone_engine(model(), {"cpu", DType::f32, 2});
    const auto alone = run_request(alone_engine, request, std::span(&cells[i], 1), options);
    CHECK(together[i].flops == Approx(alone[0].flops).epsilon(1e-12));
  }
  const auto random =
      run_cell(engine, request,
               strategy("from_file",
                        [&] {
                          // the same set, chosen for nothing
                          const std::string path = binary_folder() + "/cacheclip_scores.jsonl";
                          std::FILE* file = std::fopen(path.c_str(), "w");
                          std::fputs("{\"id\": \"\", \"scores\": [", file);
                          std::set<int> chosen(together[1].selected.begin(), together[1].selected.end());
                          for (int i = 0; i < 128; ++i) std::fputs(i ? (chosen.contains(i) ? ",1" : ",0") : "0", file);
                          std::fputs("]}\n", file);
                          std::fclose(file);
                          Value v{Value::Map{}};
                          v.set("path", path);
                          v.set("sink", "shared_prefix");
                          return v;
                        }()),
               (static_cast<double>(together[1].selected.size()) + 0.5) / 128);
  CHECK(random.outcome.selected == together[1].selected);
  CHECK(together[1].flops > random.outcome.flops);
}
