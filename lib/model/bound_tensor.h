#pragma once
#include <functional>

#include "model/architectures.h"
#include "model/stored_tensor.h"

namespace kvmend {

/// "[rows, cols]", or "[cols]" of a vector.
std::string shape_text_of(std::int64_t rows, std::int64_t cols);

/// A file's tensor as one of ours: which part of what is stored, in which order.
class BoundTensor {
 public:
  /// Throws Error(data) if the type cannot be read or the shape is not what the configuration asks for. `hf_names`: the
  /// slot's remarks on safetensors files hold; `interleaved_heads`: those on the order of rows do.
  BoundTensor(const TensorSlot& slot, const StoredTensor& stored, const ModelConfig& config,
              const Architecture& architecture, bool hf_names, bool interleaved_heads);

  const StoredTensor& stored() const { return *stored_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }

  /// Rows [first, first + count) to out [count, cols], float32. Throws Error(data) for a value that is not finite.
  void read_rows(std::int64_t first, std::int64_t count, float* out) const;
  /// The whole vector.
  std::vector<float> read_vector() const;
  /// The stored rows, where their elements are the tensor's; else empty.
  std::span<const std::byte> raw() const;
  /// Which of raw()'s rows is row i; empty: they are in order.
  std::function<std::int64_t(std::int64_t row)> row_order() const;

 private:
  bool elementwise() const { return transposed_ || add_ != 0; }
  std::int64_t source_row(std::int64_t row) const;
  const std::byte* at(std::int64_t element) const;
  void read_transposed(std::int64_t first, std::int64_t count, float* out) const;
  void check_finite(const float* values, std::int64_t count, std::int64_t row) const;

  const StoredTensor* stored_;
  std::int64_t rows_, cols_;       ///< ours; a vector is one row
  std::int64_t first_row_ = 0;     ///< where ours begin in what is stored
  std::int64_t stored_rows_;       ///< … of how many
  int head_dim_ = 0, rotary_ = 0;  ///< set where rows come in the interleaved order of pairs
  bool transposed_ = false;        ///< stored as [cols, stored_rows]
  float add_ = 0;                  ///< to each element
};

}  // namespace kvmend
