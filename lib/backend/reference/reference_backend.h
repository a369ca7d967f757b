#pragma once
#include "backend/backend.h"
#include "backend/reference/matrix.h"

namespace kvmend {

/// The executable definition of every operation: Eigen, float32, one thread, no cleverness.
class ReferenceBackend final : public Backend {
 public:
  /// Up to this many rows a product is computed row by row, so that a row's bits do not depend on the others.
  static constexpr int kRowByRow = 128;

  explicit ReferenceBackend(DType compute_dtype) : compute_dtype_(compute_dtype) {}

  std::string name() const override { return "reference"; }
  std::string description() const override;
  DType compute_dtype() const override { return compute_dtype_; }
  int threads() const override { return 1; }
  Tensor allocate(DType dtype, std::int64_t rows, std::int64_t cols) override;
  WeightPtr prepare(const WeightSource& source) override;
  WeightPtr prepare(std::span<const WeightSource> sources) override;
  Tensor prepare_table(const WeightSource& source) override;
  std::unique_ptr<Queue> make_queue() override;
  int decode_rows() const override { return 1; }
  int max_decode_rows() const override { return kRowByRow; }

 private:
  DType compute_dtype_;
};

/// Float32 values, already rounded where the compute dtype is bf16.
class ReferenceWeight final : public Weight {
 public:
  reference::Matrix values;  ///< [rows, cols]
};

}  // namespace kvmend
