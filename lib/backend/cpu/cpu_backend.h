#pragma once
#include "backend/backend.h"
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/onednn_product.h"
#include "backend/cpu/workers.h"

namespace kvmend {

/// Fast operations on this machine's processors: oneDNN for large products, our own kernels for the rest.
class CpuBackend final : public Backend {
 public:
  /// How products of many rows are computed: `best` for the compute dtype on this processor, or in oneDNN's blocks
  /// whether that is fastest or not (for tests; float32, or bf16 where the processor has it).
  enum class Products : std::uint8_t { best, blocks };

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

 private:
  DType compute_dtype_;
  const Kernels& kernels_;
  Workers workers_;
  std::unique_ptr<onednn::BlockProducts> blocks_;  ///< null: single precision products in pieces
};

}  // namespace kvmend
