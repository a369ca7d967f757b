// An auxiliary model's request, and what its pass costs.
#include "recompute/auxiliary.h"
#include "auxiliary_model.h"
#include "core/error.h"

using namespace kvmend;
using namespace kvmend::test;

TEST_CASE("units are tokenised alone, with spans in the same text") {
  const Request request = random_request({8, 31, 24}, true, 11);
  const auto files = open_model(auxiliary_file());
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
  Engine engine(primary_model(), {"cpu", DType::f32, 2});
  const auto cacheclip = strategy("cacheclip", with_auxiliary());
  const std::vector<CellSpec> cells{{cacheclip, 0.2}, {cacheclip, 0.4}, {strategy("infoflow"), 0.2}};
  const auto outcomes = run_request(engine, bare, cells, {});
  for (const std::size_t i : {0, 1}) CHECK_THAT(outcomes[i].error, Catch::Contains("needs the prompt's text"));
  CHECK(outcomes[2].error.empty());  // it shares the probe
}

TEST_CASE("opening the auxiliary model is not selection time") {
  const Request request = random_request({8, 60, 60}, true, 11, 5);
  const CellSpec cell{strategy("cacheclip", with_auxiliary()), 0.2};
  Engine engine(primary_model(), {"cpu", DType::f32, 2});
  ReusedContext context(engine, request, reuse_key(cell.strategy->options), 1);
  RequestProbe probe(engine, context, "");
  probe.start_charging();
  const double before = probe.computed_seconds();
  probe.auxiliary(auxiliary_file(), [](Probe&) {});
  // Everything but tokenising was accounted as done for somebody else, and nothing of it charged.
  CHECK(probe.computed_seconds() > before);
  CHECK(probe.charged_seconds(nullptr, 0) == Approx(0).margin(1e-9));
  CHECK(probe.charged_ops().flops == 0);
}

TEST_CASE("an auxiliary pass hides behind the loading and placing that it ran beside, and behind nothing else") {
  const Request request = random_request({8, 60, 60}, true, 11, 5);
  const auto cacheclip = strategy("cacheclip", with_auxiliary());
  const auto pass = [](Probe& auxiliary) { auxiliary.hidden_norm(auxiliary.n_layers()); };
  for (const LoadFrom from : {LoadFrom::device, LoadFrom::host}) {
    Engine engine(primary_model(), {"cpu", DType::f32, 2}, {.load_from = from});
    ReusedContext context(engine, request, reuse_key(cacheclip->options), 1);
    RequestProbe probe(engine, context, "");
    probe.start_charging();
    probe.auxiliary(auxiliary_file(), pass);
    const double placed = context.placed_meanwhile().seconds;
    CHECK((placed > 0) == (from == LoadFrom::host));
    const auto& own = context.placed(Placement::global, probe.ledger());
    own.base->layer(primary_model().config().n_layers - 1);
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
    probe.auxiliary(auxiliary_file(), pass);
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
  const std::vector<CellSpec> cells{{strategy("reuse"), 0},
                                    {strategy("cacheclip", with_auxiliary()), 0.2},
                                    {strategy("cacheclip", with_auxiliary()), 0.4}};
  RunnerOptions options;
  Engine engine(primary_model(), {"cpu", DType::f32, 2});
  const auto together = run_request(engine, request, cells, options);
  for (std::size_t i = 1; i < 3; ++i) {
    REQUIRE(together[i].error.empty());
    Engine alone_engine(primary_model(), {"cpu", DType::f32, 2});
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
