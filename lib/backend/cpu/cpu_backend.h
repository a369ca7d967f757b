#pragma once
#include "backend/backend.h"
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/workers.h"

namespace kvmend {

/// Fast operations on this machine's processors: our own kernels, and oneDNN for products they are not best at.
class CpuBackend final : public Backend {
 public:
  /// How products are computed: `best` is our own, on packed weights, in float32 and where the kernels multiply bf16;
  /// elsewhere, and with `pieces` (for tests) everywhere, few rows are multiplied in float32 by ours, many by oneDNN.
  enum class Products : std::uint8_t { best, pieces };

  /// `threads` counts the calling thread; 0 takes all processors of this process. `kernels` is one of
  /// available_kernels(), by default the best.
  CpuBackend(DType compute_dtype, int threads, const Kernels& kernels = *available_kernels().back(),
             Products products = Products::best);

  std::string name() const override { return "cpu"; }
  std::string description() const override;
  DType compute_dtype() const override { return compute_dtype_; }
  int threads() const override { return workers_.size(); }
  Tensor allocate(DType dtype, std::int64_t rows, std::int64_t cols) override;
  WeightPtr prepare(const WeightSource& source) override;
  WeightPtr prepare(std::span<const WeightSource> sources) override;
  Tensor prepare_table(const WeightSource& source) override;
  std::unique_ptr<Queue> make_queue() override;
  int decode_rows() const override { return 1; }
  int max_decode_rows() const override;
  Peak measure_peak() override;

 private:
  Tensor pack(std::span<const WeightSource> sources, std::int64_t rows, std::int64_t cols);

  DType compute_dtype_;
  const Kernels& kernels_;
  Workers workers_;
  bool packs_ = false;  ///< weights are packed for our own products; else single precision products in pieces
};

}  // namespace kvmend
