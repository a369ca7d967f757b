#include "backend/tensor.h"

#include "core/error.h"

namespace kvmend {

std::string_view dtype_name(DType dtype) {
  switch (dtype) {
    case DType::f32: return "f32";
    case DType::bf16: return "bf16";
    case DType::i32: return "i32";
  }
  return "?";
}

std::size_t dtype_bytes(DType dtype) { return dtype == DType::bf16 ? 2 : 4; }

Tensor Tensor::row_range(std::int64_t first, std::int64_t count) const {
  require(first >= 0 && count >= 0 && first + count <= rows_, "rows [{}, {}) of a tensor with {}", first, first + count,
          rows_);
  Tensor view = *this;
  view.offset_ += first * stride_;
  view.rows_ = count;
  return view;
}

Tensor Tensor::col_range(std::int64_t first, std::int64_t count) const {
  require(first >= 0 && count >= 0 && first + count <= cols_, "columns [{}, {}) of a tensor with {}", first,
          first + count, cols_);
  Tensor view = *this;
  view.offset_ += first;
  view.cols_ = count;
  return view;
}

}  // namespace kvmend
