// Invariant 4 of STRATEGIES §0: layer 0's keys and values depend on token and position only, so that a chunk's cache, moved
// to where the chunk stands, is what a full prefill has there.
#include <algorithm>
#include <array>
#include <numeric>

#include "recompute/rows.h"
#include "support/cell_case.h"
#include "support/random_model.h"
#include "support/tested_devices.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

struct Deviation {
  double keys = 0, values = 0;
};

/// Σ over rows of Σ_dims (full − reused)², by layer, of caches that stand where `placement` puts them.
std::array<Deviation, 2> deviations(Engine& engine, const Request& request, ReuseKey key, Placement placement) {
  Request whole = request;  // one unit: its own prefill is the full one
  whole.units = {{UnitKind::chunk, 0, request.n_context()}};
  ReusedContext full(engine, whole, {}, 1), reused(engine, request, key, 1);
  Ledger ledger(engine.queue());
  const BasePtr expected = full.placed(Placement::global, ledger).base, found = reused.placed(placement, ledger).base;
  const auto sum = [&](const Tensor& a, const Tensor& b) {
    const Tensor out = engine.backend().allocate(DType::f32, request.n_context(), 1);
    engine.queue().row_deviation(out, a.row_range(0, request.n_context()), b.row_range(0, request.n_context()));
    const std::vector<float> rows = downloaded(engine.queue(), out);
    return std::accumulate(rows.begin(), rows.end(), 0.0);
  };
  std::array<Deviation, 2> out;
  for (const int layer : {0, 1}) {
    const LayerKv &a = expected->layer(layer), &b = found->layer(layer);
    out.at(static_cast<std::size_t>(layer)) = {sum(a.k, b.k), sum(a.v, b.v)};
  }
  return out;
}

}  // namespace

TEST_CASE("layer 0 does not deviate after re-rotation", "[invariants][card]") {
  const Request request = random_request({5, 19, 17, 23}, true, 7);
  for (const auto& [device, dtype] : tested_settings()) {
    // bf16 rounds a row's projection, which a product of other rows may have summed in another order.
    const double bound = dtype == DType::f32 ? 1e-6 : 1e-3;
    for (const char* architecture : {"llama", "qwen2", "qwen3", "gemma3"}) {
      if (!tests_in_full() && std::string(architecture) != "qwen2") continue;
      CAPTURE(device, dtype_name(dtype), architecture);
      const RandomModel files = random_model(architecture, 3);
      Engine engine(files, {device, dtype, 2});
      for (const ReuseKey& key : {ReuseKey{}, ReuseKey{.sink = SinkKind::dummy_bos, .sink_tokens = 4},
                                  ReuseKey{.sink = SinkKind::shared_prefix}}) {
        const auto [first, second] = deviations(engine, request, key, Placement::global);
        CAPTURE(enum_name(key.sink), first.keys, first.values, second.keys, second.values);
        CHECK(second.keys > 1);  // what is compared can differ: layer 1 saw other tokens
        CHECK(second.values > 1);
        CHECK(first.keys <= bound * second.keys);
        CHECK(first.values <= bound * second.values);
      }
      // Not moved, keys are others; values have no position.
      const auto [first, second] = deviations(engine, request, {}, Placement::local);
      CHECK(first.keys > 1);
      CHECK(first.values <= bound * second.values);
    }
  }
}

TEST_CASE("a probe gives layer 0 no deviation at all, so that no noise is ranked", "[invariants]") {
  const RandomModel files(3);
  Engine engine(files, {"cpu", DType::f32, 2});
  const Request request = random_request({5, 19, 17, 23}, true, 7);
  ReusedContext context(engine, request, {}, 1);
  RequestProbe probe(engine, context, "");
  const KvDeviation found = probe.kv_deviation({0, 1});
  for (const auto* rows : {&found.keys, &found.values}) {
    REQUIRE(rows->size() == 2);
    CHECK(std::all_of((*rows)[0].begin(), (*rows)[0].end(), [](float x) { return x == 0; }));
    CHECK(std::any_of((*rows)[1].begin(), (*rows)[1].end(), [](float x) { return x > 0.01F; }));
  }
}

TEST_CASE("where windows keep a row within its chunk it does not deviate, and no noise is ranked", "[invariants]") {
  RandomModel files(3);
  files.mutable_config().sliding_window = 8;
  Engine engine(files, {"cpu", DType::f32, 2});
  const Request request = random_request({5, 19, 17, 23}, true, 7);
  ReusedContext context(engine, request, {}, 1);
  RequestProbe probe(engine, context, "");
  const KvDeviation found = probe.kv_deviation({1, 2, 3});
  std::vector<int> changed, same;  // at layer 1, behind the prefix
  for (const Unit& unit : request.units) {
    for (int i = unit.begin; i < unit.end; ++i) {
      for (std::size_t l = 0; l < 3; ++l) {
        CAPTURE(l + 1, i);
        const bool equal = unit.begin == 0 || i - unit.begin >= 7 * static_cast<int>(l + 1);
        CHECK((found.keys[l][static_cast<std::size_t>(i)] == 0) == equal);
        CHECK((found.values[l][static_cast<std::size_t>(i)] == 0) == equal);
        if (l == 0 && unit.begin > 0) (equal ? same : changed).push_back(i);
      }
    }
  }
  const int n = request.n_context();
  const auto selected = [&](const char* schedule, int check_layer, double ratio) {
    Value params;
    params.set("schedule", schedule);
    params.set("check_layer", check_layer);
    return run_cell(engine, request, strategy("cacheblend", params), ratio).outcome.selected;
  };
  // What cannot differ comes last, by index; at layer 0 nothing can.
  std::vector<int> expected = changed;
  expected.insert(expected.end(), same.begin(), same.begin() + 9);
  std::sort(expected.begin(), expected.end());
  CHECK(selected("one_shot", 1, (static_cast<double>(expected.size()) + 0.5) / n) == expected);
  std::vector<int> first(12);
  std::iota(first.begin(), first.end(), request.units.front().end);
  CHECK(selected("one_shot", 0, 12.5 / n) == first);
}
