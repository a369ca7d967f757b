#include "backend/tolerance.h"
#include "device.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

struct Shape {
  std::int64_t m, n, k;
};

}  // namespace

TEST_CASE("matmul agrees with the reference") {
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  Device reference("reference", dtype);
  for (const TestedDevice& tested : product_devices()) {
    Device under_test = tested.make(dtype);
    for (const Shape s : {Shape{1, 1, 1},
                          {1, 65, 40},
                          {2, 32, 8},
                          {5, 7, 33},
                          {12, 64, 300},
                          {17, 200, 64},
                          {128, 40, 70},
                          {129, 31, 129},
                          {200, 400, 96},
                          {600, 70, 20},
                          {1, 70, 2100},  // more steps than tiles take at once
                          {40, 33, 4500}})
      for (const bool accumulate : {false, true})
        for (const DType out_type : {DType::f32, DType::bf16}) {
          if (accumulate && out_type != DType::f32) continue;
          const std::vector<float> x = random_values(s.m * s.k, 1), w = random_values(s.n * s.k, 2),
                                   b = random_values(s.n, 3), before = random_values(s.m * s.n, 4);
          const auto run = [&](Device& device) {
            const WeightPtr weight = device.backend->prepare(source_of(w, s.n, s.k));
            const Tensor out = device.strided(s.m, s.n, before, out_type);
            device.queue->matmul(out, device.strided(s.m, s.k, x), *weight,
                                 {accumulate ? Tensor{} : device.tensor(1, s.n, b), accumulate});
            CHECK(device.guards_intact());
            return device.values(out);
          };
          INFO(tested.label << ", " << dtype_name(dtype) << ": " << s.m << " x " << s.n << " x " << s.k
                            << (accumulate ? " accumulated" : "") << " to " << dtype_name(out_type));
          CHECK(row_error(run(under_test), run(reference), s.n) <= tolerance(OpKind::product, dtype, out_type).of_row);
        }
  }
}

TEST_CASE("a bias and an accumulated output add up") {
  for (const std::int64_t m : {3, 200}) {
    Device d(device_under_test());
    const WeightPtr weight = d.backend->prepare(source_of({1, 2, 3, 4}, 2, 2));
    const Tensor out = d.tensor(m, 2, std::vector<float>(static_cast<std::size_t>(2 * m), 100.0F));
    d.queue->matmul(out, d.tensor(m, 2, std::vector<float>(static_cast<std::size_t>(2 * m), 1.0F)), *weight,
                    {d.tensor(1, 2, {10, 20}), true});
    CHECK(d.values(out.row_range(m - 1, 1)) == std::vector<float>{113, 127});
  }
}

TEST_CASE("matrices over the same input are stacked by rows") {
  const std::vector<float> a = random_values(3 * 8, 1), b = random_values(5 * 8, 2), x = random_values(4 * 8, 3);
  for (const std::string& name : {std::string("reference"), device_under_test()}) {
    Device d(name);
    const std::vector<WeightSource> sources{source_of(a, 3, 8), source_of(b, 5, 8)};
    const WeightPtr both = d.backend->prepare(sources);
    REQUIRE(both->rows == 8);
    REQUIRE(both->cols == 8);
    const Tensor out = d.strided(4, 8), first = d.strided(4, 3), second = d.strided(4, 5), in = d.tensor(4, 8, x);
    d.queue->matmul(out, in, *both);
    d.queue->matmul(first, in, *d.backend->prepare(sources[0]));
    d.queue->matmul(second, in, *d.backend->prepare(sources[1]));
    CHECK(largest_difference(d.values(out.col_range(0, 3)), d.values(first)) < 1e-5);
    CHECK(largest_difference(d.values(out.col_range(3, 5)), d.values(second)) < 1e-5);
  }
}

TEST_CASE("in a product of few rows a row's bits depend on that row alone") {
  const std::int64_t k = GENERATE(700, 2100), n = k == 700 ? 150 : 40;  // of the longer sum tiles take parts
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const std::vector<float> w = random_values(n * k, 1), x = random_values(128 * k, 2), b = random_values(n, 3);
  const auto check = [&](const auto& make_device) {
    std::vector<float> alone;
    for (const int threads : {1, 2, 3})
      for (const std::int64_t m : {1, 2, 3, 5, 6, 7, 12, 13, 24, 128}) {
        Device d = make_device(threads);
        REQUIRE(d.backend->decode_rows() == 1);
        REQUIRE(m <= d.backend->max_decode_rows());
        const WeightPtr weight = d.backend->prepare(source_of(w, n, k));
        // The row under test is the last of m, behind different neighbours each time.
        std::vector<float> rows(x.begin() + (128 - m) * k, x.end());
        const Tensor out = d.strided(m, n);
        d.queue->matmul(out, d.tensor(m, k, rows), *weight, {d.tensor(1, n, b)});
        const std::vector<float> last = d.values(out.row_range(m - 1, 1));
        if (alone.empty()) alone = last;
        CHECK(last == alone);
      }
  };
  check([&](int) { return Device("reference", dtype); });
  for (const Kernels* kernels : tested_kernels()) {
    INFO(kernels->name);
    check([&](int threads) { return Device(*kernels, dtype, threads); });
  }
}
