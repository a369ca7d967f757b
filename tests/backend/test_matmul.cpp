#include "device.h"

using namespace kvmend;
using namespace kvmend::test;

TEST_CASE("cpu matmul agrees with the reference") {
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto threads = GENERATE(1, 2, 3);
  Device cpu("cpu", dtype, threads), reference("reference", dtype);
  for (const auto& [m, n, k] : {std::tuple{1, 1, 1}, {1, 65, 40}, {5, 7, 33}, {17, 200, 64}, {70, 31, 129}, {130, 400, 96}})
    for (const bool accumulate : {false, true})
      for (const DType out_type : {DType::f32, dtype}) {
        if (accumulate && out_type != DType::f32) continue;
        const std::vector<float> x = random_values(m * k, 1), w = random_values(n * k, 2), b = random_values(n, 3),
                                 before = random_values(m * n, 4);
        const auto run = [&](Device& device) {
          const WeightPtr weight = device.backend->prepare(source_of(w, n, k));
          const Tensor out = device.strided(m, n, before, out_type);
          device.queue->matmul(out, device.strided(m, k, x), *weight, {device.tensor(1, n, b), accumulate});
          CHECK(device.guards_intact());
          return device.values(out);
        };
        // Products of k unit normals have the size √k; float32 sums differ in their order, a bf16 output in its last bit.
        const double size = std::sqrt(static_cast<double>(k)) + 2;
        const double bound = size * (out_type == DType::bf16 ? 0.02 : 3e-6);
        INFO(m << " x " << n << " x " << k << (accumulate ? " accumulated" : "") << ", " << dtype_name(out_type));
        CHECK(largest_difference(run(cpu), run(reference)) <= bound);
      }
}
