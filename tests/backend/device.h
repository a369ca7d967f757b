#pragma once
// What the tests of the operations share: a backend with a queue, random values, tensors with guards around them.
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/cpu/cpu_backend.h"
#include "catch.h"
#include "support/difference.h"

namespace kvmend::test {

inline std::vector<float> random_values(std::int64_t count, unsigned seed, float scale = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& v : values) v = normal(generator);
  return values;
}

inline WeightSource source_of(const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
  return {.name = "w",
          .rows = rows,
          .cols = cols,
          .type = StoredType::f32,
          .raw = {},
          .read_rows = [&values, cols](std::int64_t first, std::int64_t count, float* out) {
            std::copy_n(values.data() + first * cols, count * cols, out);
          }};
}

struct Device {
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Queue> queue;
  bool aligned = false;

  explicit Device(std::unique_ptr<Backend> made) : backend(std::move(made)), queue(backend->make_queue()) {}
  explicit Device(const std::string& name, DType dtype = DType::f32, int threads = 1)
      : Device(make_backend({.device = name, .dtype = dtype, .threads = threads})) {}
  /// The cpu backend on one instruction set.
  Device(const Kernels& kernels, DType dtype, int threads, CpuBackend::Products products = CpuBackend::Products::best)
      : Device(std::make_unique<CpuBackend>(dtype, threads, kernels, products)) {}

  Tensor tensor(std::int64_t rows, std::int64_t cols, const std::vector<float>& values, DType dtype = DType::f32) {
    Tensor t = backend->allocate(dtype, rows, cols);
    queue->upload(t, std::span<const float>(values));
    return t;
  }
  Tensor indices(const std::vector<std::int32_t>& values) {
    Tensor t = backend->allocate(DType::i32, static_cast<std::int64_t>(values.size()), 1);
    queue->upload(t, std::span<const std::int32_t>(values));
    return t;
  }
  /// A view [rows, cols] inside a larger tensor of 7s, so that rows are apart and writes outside are seen. Its rows are
  /// aligned to nothing, or, where that is asked for, to eight elements.
  Tensor strided(std::int64_t rows, std::int64_t cols, DType dtype = DType::f32) {
    const std::int64_t before = aligned ? 8 : 3, width = aligned ? (cols + 7) / 8 * 8 + 16 : cols + 5;
    Tensor whole =
        tensor(rows + 2, width, std::vector<float>(static_cast<std::size_t>((rows + 2) * width), 7.0F), dtype);
    guarded_.push_back({whole, before, cols});
    return whole.row_range(1, rows).col_range(before, cols);
  }
  Tensor strided(std::int64_t rows, std::int64_t cols, const std::vector<float>& values, DType dtype = DType::f32) {
    Tensor t = strided(rows, cols, dtype);
    queue->upload(t, std::span<const float>(values));
    return t;
  }
  std::vector<float> values(const Tensor& t) {
    std::vector<float> out(static_cast<std::size_t>(t.rows() * t.cols()));
    queue->download(std::span<float>(out), t);
    return out;
  }
  std::vector<std::int32_t> integers(const Tensor& t) {
    std::vector<std::int32_t> out(static_cast<std::size_t>(t.rows() * t.cols()));
    queue->download(std::span<std::int32_t>(out), t);
    return out;
  }
  /// True if nothing around the strided tensors was written.
  bool guards_intact() {
    for (const auto& [whole, before, cols] : guarded_) {
      const std::vector<float> all = values(whole);
      for (std::int64_t r = 0; r < whole.rows(); ++r)
        for (std::int64_t c = 0; c < whole.cols(); ++c) {
          const bool inside = r >= 1 && r < whole.rows() - 1 && c >= before && c < before + cols;
          if (!inside && all[static_cast<std::size_t>(r * whole.cols() + c)] != 7.0F) return false;
        }
    }
    return true;
  }

 private:
  struct Guarded {
    Tensor whole;
    std::int64_t before, cols;
  };
  std::vector<Guarded> guarded_;
};

/// A device that is compared with the reference.
struct TestedDevice {
  std::string label;
  std::function<Device(DType)> make;
};
/// The cpu backend on every instruction set with one and with several threads; with KVMEND_TEST_DEVICE=cuda in the
/// environment the first card, which may be emulated.
std::vector<TestedDevice> devices_under_test();
/// For products: with the cpu's way for weights that are not packed, too.
std::vector<TestedDevice> product_devices();
/// "cpu" or "cuda".
std::string device_under_test();

/// Instruction sets to test: what this processor runs, and the widest kernels in plain arithmetic, so that their
/// tiling is tested where there is no AVX-512. None where a card is tested.
std::vector<const Kernels*> tested_kernels();

}  // namespace kvmend::test
