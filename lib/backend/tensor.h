#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace kvmend {

enum class DType : std::uint8_t { f32, bf16, i32 };
std::string_view dtype_name(DType dtype);  // "f32", "bf16", "i32"
std::size_t dtype_bytes(DType dtype);

/// Device memory. Only the backend that made it knows what is inside.
class Buffer {
 public:
  virtual ~Buffer() = default;
};

/// A view [rows, cols] of device memory: an opaque handle, cheap to copy, no host pointer. Rows are `stride`
/// elements apart. Copies share the memory; the last one frees it.
class Tensor {
 public:
  Tensor() = default;
  Tensor(std::shared_ptr<Buffer> buffer, DType dtype, std::int64_t rows, std::int64_t cols)
      : buffer_(std::move(buffer)), dtype_(dtype), rows_(rows), cols_(cols), stride_(cols) {}

  explicit operator bool() const { return buffer_ != nullptr; }
  DType dtype() const { return dtype_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::int64_t stride() const { return stride_; }
  std::int64_t offset() const { return offset_; }  ///< elements from the buffer's start
  Buffer* buffer() const { return buffer_.get(); }
  std::int64_t bytes() const { return rows_ * cols_ * static_cast<std::int64_t>(dtype_bytes(dtype_)); }

  /// Views of the same memory: [first, first + count). Throw Error(internal) out of range.
  Tensor row_range(std::int64_t first, std::int64_t count) const;
  Tensor col_range(std::int64_t first, std::int64_t count) const;

 private:
  std::shared_ptr<Buffer> buffer_;
  DType dtype_ = DType::f32;
  std::int64_t rows_ = 0, cols_ = 0, stride_ = 0, offset_ = 0;
};

}  // namespace kvmend
