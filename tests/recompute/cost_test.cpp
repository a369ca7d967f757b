// Costs are counted from what ran; what is shared is charged in full to each who uses it.
#include "catch.h"
#include "support/cell_case.h"
#include "support/random_model.h"
#include "support/tested_devices.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

std::vector<Outcome> run_all(Engine& engine, const Request& request, const std::vector<CellSpec>& cells,
                             int new_tokens = 4) {
  RunnerOptions options;
  options.bos = 1;
  options.decode.max_new_tokens = new_tokens;
  return run_request(engine, request, cells, options);
}

}  // namespace

TEST_CASE("full prefill costs what the formula says, windowed layers included") {
  for (const int window : {0, 16}) {
    RandomModel files(2);
    files.mutable_config().sliding_window = window;
    if (window > 0) files.mutable_config().windowed = {true, false, true, false};
    Engine engine(files, {"cpu", DType::f32, 2});
    const Request request = random_request({10, 30, 25}, true, 7);
    const auto full = run_cell(engine, request, strategy("full"), 1);
    CHECK(full.outcome.flops == Approx(full_prefill_flops(files.config(), request.n_tokens())).epsilon(1e-12));
    CHECK(full.outcome.layer_tokens == 4 * 65);
  }
}

TEST_CASE("layer-tokens and FLOPs of a static set follow from its size") {
  const RandomModel files(2);
  Engine engine(files, {"cpu", DType::f32, 2});
  const Request request = random_request({10, 30, 25}, true, 7);
  const auto half = run_cell(engine, request, strategy("random"), 0.5);
  CHECK(half.outcome.selected.size() == 32);
  CHECK(half.outcome.layer_tokens == 4 * 32);
  CHECK(half.outcome.effective_ratio == Approx(32.0 / 65));
  const ModelConfig& c = files.config();
  const double q = c.n_heads * c.head_dim, kv = c.n_kv_heads * c.head_dim;
  double pairs = 0;
  for (const int i : half.outcome.selected) pairs += i + 1;
  for (int i = 65; i < 72; ++i) pairs += i + 1;
  const double per_layer = 2.0 * 39 * c.d_model * (2 * q + 2 * kv + 3.0 * c.d_ff) + 4 * q * pairs;
  CHECK(half.outcome.flops == Approx(4 * per_layer + 2.0 * c.d_model * c.vocab).epsilon(1e-12));
}

TEST_CASE("decoding reads the cache of each cell once a step, however many rows its products are padded to", "[card]") {
  for (const auto& [device, dtype] : tested_settings()) {
    CAPTURE(device, dtype_name(dtype));
    const RandomModel files(2);
    Engine engine(files, {device, dtype, 2});
    const Request request = random_request({10, 30, 25}, true, 7);
    const auto flops_of = [&](int new_tokens, std::size_t n_cells) {
      const std::vector<CellSpec> cells(n_cells, {strategy("full"), 1});
      const double before = engine.queue().cost().flops;
      for (const Outcome& outcome : run_all(engine, request, cells, new_tokens))
        CHECK(outcome.prediction_ids.size() == static_cast<std::size_t>(new_tokens));
      return engine.queue().cost().flops - before;
    };
    const ModelConfig& c = files.config();
    const double q = c.n_heads * c.head_dim, kv = c.n_kv_heads * c.head_dim;
    const double row = 4 * 2.0 * c.d_model * (2 * q + 2 * kv + 3.0 * c.d_ff) + 2.0 * c.d_model * c.vocab;
    for (const std::size_t n_cells : {1, 3}) {
      const double step = flops_of(2, n_cells) - flops_of(1, n_cells);
      const double rows = std::max<double>(engine.backend().decode_rows(), static_cast<double>(n_cells));
      const double keys = static_cast<double>(n_cells) * (request.n_tokens() + 1);
      CHECK(step == Approx(rows * row + 4 * 4 * q * keys).epsilon(1e-9));
    }
  }
}

TEST_CASE("CacheBlend's check layer is counted: one full layer of four at 15 % is 36 % of the layer-tokens") {
  const RandomModel files(2);
  Engine engine(files, {"cpu", DType::f32, 2});
  const Request request = random_request({40, 80, 80}, true, 7);
  const auto cell = run_cell(engine, request, strategy("cacheblend_lmcache"), 0.15);
  REQUIRE(cell.outcome.selected_per_layer);
  CHECK(cell.outcome.selected_per_layer->at(0).size() == 200);
  for (std::size_t layer = 1; layer < 4; ++layer)
    CHECK(cell.outcome.selected_per_layer->at(layer) == cell.outcome.selected);
  CHECK(cell.outcome.selected.size() == 30);
  CHECK(cell.outcome.effective_ratio == Approx((1 + 3 * 0.15) / 4));
}

TEST_CASE("gradual filtering keeps its mean, and no set grows with depth") {
  const RandomModel files(2);
  Engine engine(files, {"cpu", DType::f32, 2});
  const Request request = random_request({40, 200, 160}, true, 7);
  for (const double ratio : {0.1, 0.3, 0.6}) {
    const auto cell = run_cell(engine, request, strategy("cacheblend"), ratio);
    const auto& layers = *cell.outcome.selected_per_layer;
    double sum = 0;
    for (std::size_t layer = 1; layer < layers.size(); ++layer) {
      CHECK(std::includes(layers[layer - 1].begin(), layers[layer - 1].end(), layers[layer].begin(),
                          layers[layer].end()));
      sum += static_cast<double>(layers[layer].size()) / 400;
    }
    CHECK(sum / 3 == Approx(ratio).margin(1.0 / 400));
    CHECK(layers[1].size() == static_cast<std::size_t>(400 * std::min(1.0, 1.5 * ratio)));
  }
}

TEST_CASE("a shared probe is charged in full to every cell that uses it") {
  const RandomModel files(2);
  const Request request = random_request({20, 60, 60}, true, 9);
  const std::vector<CellSpec> both{{strategy("prophetkv"), 0.1},
                                   {strategy("prophetkv"), 0.4},
                                   {strategy("cacheblend"), 0.2},
                                   {strategy("cacheblend"), 0.4},
                                   {strategy("reuse"), 0}};
  Engine engine(files, {"cpu", DType::f32, 2});
  const auto together = run_all(engine, request, both);
  for (std::size_t i = 0; i < both.size(); ++i) {
    Engine alone_engine(files, {"cpu", DType::f32, 2});
    const auto alone = run_all(alone_engine, request, {both[i]});
    CAPTURE(both[i].strategy->label, both[i].ratio);
    CHECK(together[i].flops == Approx(alone[0].flops).epsilon(1e-12));
    CHECK(together[i].bytes == Approx(alone[0].bytes).epsilon(1e-12));
    CHECK(together[i].seconds.select >= 0);
  }
  CHECK(together[0].flops > together[4].flops);  // scoring is not free
  CHECK(together[0].seconds.select > 0);
  CHECK(together[1].seconds.select > 0);
}
