// The operations on rows: the devices under test against the reference, on odd and strided shapes.
#include <functional>

#include "backend/tolerance.h"
#include "device.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

using Operation = std::function<std::vector<float>(Device&)>;

/// Runs an operation on the reference and on each device under test, with guards around its outputs; its results have
/// rows of `cols` elements, of the type `out` when they were stored.
void compare(const Operation& run, std::int64_t cols, OpKind kind, DType out = DType::f32) {
  Device reference("reference");
  const std::vector<float> expected = run(reference);
  for (const TestedDevice& tested : devices_under_test()) {
    Device device = tested.make(DType::f32);
    INFO(tested.label);
    CHECK(row_error(run(device), expected, cols) <= tolerance(kind, DType::f32, out).of_row);
    CHECK(device.guards_intact());
  }
}

const std::pair<std::int64_t, std::int64_t> kShapes[] = {{1, 1},  {1, 64},   {3, 7},    {5, 16},
                                                         {2, 33}, {40, 129}, {300, 576}};

}  // namespace

TEST_CASE("rms_norm") {
  for (const auto& shape : kShapes)
    for (const int groups : {1, 3}) {
      const std::int64_t rows = shape.first, size = shape.second;
      const std::vector<float> x = random_values(rows * size * groups, 1, 3), w = random_values(size, 2);
      compare(
          [&](Device& d) {
            const Tensor out = d.strided(rows, size * groups);
            d.queue->rms_norm(out, d.strided(rows, size * groups, x), d.tensor(1, size, w), 1e-5F, groups);
            return d.values(out);
          },
          size * groups, OpKind::sum);
    }
}

TEST_CASE("layer_norm, in place too") {
  for (const auto& shape : kShapes)
    for (const bool has_bias : {false, true}) {
      const std::int64_t rows = shape.first, size = shape.second;
      const std::vector<float> x = random_values(rows * size, 1, 3), w = random_values(size, 2),
                               b = random_values(size, 3);
      compare(
          [&](Device& d) {
            const Tensor out = d.strided(rows, size, x);
            d.queue->layer_norm(out, out, d.tensor(1, size, w), has_bias ? d.tensor(1, size, b) : Tensor{}, 1e-5F);
            return d.values(out);
          },
          size, OpKind::sum);  // a row of one element is x − x = 0 over √eps: exact
    }
}

TEST_CASE("rope rotates by position and lets the rest of a head pass") {
  for (const auto& [head_dim, rotary] : {std::pair{2, 2}, {20, 20}, {64, 64}, {80, 32}, {128, 128}})
    for (const DType in : {DType::f32, DType::bf16})
      for (const DType to : {DType::f32, DType::bf16}) {
        const int rows = 9, heads = 3, d = head_dim, r = rotary;
        const std::vector<float> x = random_values(rows * heads * d, 1), table = random_values(12 * r, 2, 0.5F);
        const std::vector<std::int32_t> positions{0, 11, 3, 3, 5, 10, 2, 1, 7};
        compare(
            [&](Device& device) {
              const Tensor out = device.strided(rows, heads * d, to);
              device.queue->rope(out, device.strided(rows, heads * d, x, in), device.indices(positions),
                                 device.strided(12, r, table), d);
              return device.values(out);
            },
            heads * d, OpKind::rotation, to);
      }
}

TEST_CASE("rope may run in place") {
  const std::vector<float> x = random_values(4 * 2 * 16, 1), table = random_values(8 * 16, 2);
  for (const TestedDevice& tested : devices_under_test()) {
    Device d = tested.make(DType::f32);
    const Tensor in_place = d.strided(4, 32, x), apart = d.strided(4, 32), positions = d.indices({7, 0, 3, 1});
    const Tensor angles = d.tensor(8, 16, table);
    d.queue->rope(apart, in_place, positions, angles, 16);
    d.queue->rope(in_place, in_place, positions, angles, 16);
    CHECK(d.values(in_place) == d.values(apart));
  }
}

TEST_CASE("gated and activate") {
  const auto activation = GENERATE(Activation::silu, Activation::gelu_tanh, Activation::gelu);
  for (const auto& shape : kShapes) {
    const std::int64_t rows = shape.first, cols = shape.second;
    std::vector<float> gate = random_values(rows * cols, 1, 4);
    const std::vector<float> up = random_values(rows * cols, 2);
    if (gate.size() > 6) gate[0] = 0, gate[1] = 90, gate[2] = -90, gate[3] = 30, gate[4] = -30, gate[5] = 1e-6F;
    compare(
        [&](Device& d) {
          const Tensor out = d.strided(rows, cols);
          d.queue->gated(out, d.strided(rows, cols, gate), d.strided(rows, cols, up), activation);
          return d.values(out);
        },
        cols, OpKind::sum);
    compare(
        [&](Device& d) {
          const Tensor out = d.strided(rows, cols, gate);
          d.queue->activate(out, out, activation);
          return d.values(out);
        },
        cols, OpKind::sum);
  }
}

TEST_CASE("add, copy and conversion are exact") {
  for (const auto& shape : kShapes)
    for (const DType from : {DType::f32, DType::bf16})
      for (const DType to : {DType::f32, DType::bf16}) {
        const std::int64_t rows = shape.first, cols = shape.second;
        const std::vector<float> x = random_values(rows * cols, 1), y = random_values(rows * cols, 2);
        compare(
            [&](Device& d) {
              const Tensor out = d.strided(rows, cols, to);
              d.queue->copy(out, d.strided(rows, cols, x, from));
              return d.values(out);
            },
            cols, OpKind::exact);
        compare(
            [&](Device& d) {
              const Tensor out = d.strided(rows, cols, y);
              d.queue->add(out, d.strided(rows, cols, x));
              return d.values(out);
            },
            cols, OpKind::exact);
      }
}

TEST_CASE("conversion to bf16 keeps NaN, infinities and the sign of zero") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x{nan, inf, -inf, 0.0F, -0.0F, 3.4e38F, -3.4e38F, 1e-40F, 1.00390625F, 1.01171875F, -nan, 5};
  for (const TestedDevice& tested : devices_under_test()) {
    Device d = tested.make(DType::bf16);
    const Tensor out = d.backend->allocate(DType::bf16, 1, 12);
    d.queue->copy(out, d.tensor(1, 12, x));
    const std::vector<float> got = d.values(out);
    CHECK(std::isnan(got[0]));
    CHECK(got[1] == inf);
    CHECK(got[2] == -inf);
    CHECK((got[3] == 0 && !std::signbit(got[3])));
    CHECK((got[4] == 0 && std::signbit(got[4])));
    CHECK(got[5] == inf);  // beyond the largest bf16, nearest is infinity
    CHECK(got[6] == -inf);
    CHECK(got[8] == 1.0F);       // halfway: to even
    CHECK(got[9] == 1.015625F);  // halfway: to even
    CHECK(std::isnan(got[10]));
    CHECK(got[11] == 5.0F);
  }
}

TEST_CASE("embed, gather and scatter move the rows they are told to") {
  const std::vector<std::int32_t> ids{4, 0, 4, 6, 1};
  const std::vector<std::int32_t> distinct{4, 0, 2, 6, 1};
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const std::int64_t cols : {1, 7, 64, 100}) {
      const std::vector<float> table = random_values(7 * cols, 1), five = random_values(5 * cols, 2);
      for (const float scale : {1.0F, 24.0F})
        compare(
            [&](Device& d) {
              const Tensor out = d.strided(5, cols);
              d.queue->embed(out, d.strided(7, cols, table, dtype), d.indices(ids), scale);
              return d.values(out);
            },
            cols, OpKind::exact);
      compare(
          [&](Device& d) {
            const Tensor out = d.strided(5, cols, dtype);
            d.queue->gather_rows(out, d.strided(7, cols, table, dtype), d.indices(ids));
            return d.values(out);
          },
          cols, OpKind::exact);
      compare(
          [&](Device& d) {
            const Tensor out = d.strided(7, cols, table, dtype);
            d.queue->scatter_rows(out, d.strided(5, cols, five, dtype), d.indices(distinct));
            return d.values(out);
          },
          cols, OpKind::exact);
    }
}

TEST_CASE("row_deviation") {
  for (const auto& shape : kShapes)
    for (const DType type_a : {DType::f32, DType::bf16})
      for (const DType type_b : {DType::f32, DType::bf16}) {
        const std::int64_t rows = shape.first, cols = shape.second;
        const std::vector<float> a = random_values(rows * cols, 1), b = random_values(rows * cols, 2);
        for (const bool has_b : {false, true})
          compare(
              [&](Device& d) {
                const Tensor out = d.strided(rows, 1);
                d.queue->row_deviation(out, d.strided(rows, cols, a, type_a),
                                       has_b ? d.strided(rows, cols, b, type_b) : Tensor{});
                return d.values(out);
              },
              1, OpKind::sum);
      }
}

TEST_CASE("argmax takes the lowest index on ties") {
  for (const std::int64_t cols : {1, 5, 16, 50, 1000}) {
    std::vector<float> x = random_values(6 * cols, 1);
    const auto at = [&](std::int64_t r, std::int64_t c) -> float& { return x[static_cast<std::size_t>(r * cols + c)]; };
    at(1, cols - 1) = 9;
    at(2, cols / 2) = at(2, cols - 1) = 9;
    at(3, 0) = at(3, cols - 1) = 9;
    for (std::int64_t c = 0; c < cols; ++c) at(4, c) = -std::numeric_limits<float>::infinity();
    for (const TestedDevice& tested : devices_under_test())
      for (const bool reference : {false, true}) {
        Device d = reference ? Device("reference") : tested.make(DType::f32);
        const Tensor out = d.indices({7, 7, 7, 7, 7, 7});
        d.queue->argmax(out, d.strided(6, cols, x));
        const std::vector<std::int32_t> got = d.integers(out);
        CHECK(got[1] == cols - 1);
        CHECK(got[2] == cols / 2);
        CHECK(got[3] == 0);
        CHECK(got[4] == 0);
        CHECK(at(0, got[0]) == *std::max_element(x.begin(), x.begin() + cols));
      }
  }
}
