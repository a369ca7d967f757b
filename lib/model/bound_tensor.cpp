#include "model/bound_tensor.h"

#include <bit>

#include "core/error.h"
#include "model/dequant.h"
#include "model/in_quotes.h"

namespace kvmend {
namespace {

constexpr std::int64_t fused_parts = 3;  // Q, K and V

/// [1, n] and [n] are the same thing.
bool same_shape(std::span<const std::int64_t> shape, std::int64_t rows, std::int64_t cols) {
  while (shape.size() > 1 && shape.front() == 1) shape = shape.subspan(1);
  if (rows == 1) return shape.size() == 1 && shape[0] == cols;
  return shape.size() == 2 && shape[0] == rows && shape[1] == cols;
}

/// Where output row `row` lies in a head stored as pairs (2i, 2i + 1): we pair i with i + rotary/2.
std::int64_t interleaved_row(std::int64_t row, int head_dim, int rotary) {
  const std::int64_t head = row / head_dim * head_dim, i = row % head_dim;
  if (i >= rotary) return row;
  return head + (i < rotary / 2 ? 2 * i : 2 * (i - rotary / 2) + 1);
}

/// Index of the first NaN or infinity, or −1.
std::int64_t first_not_finite(const float* values, std::int64_t count) {
  constexpr std::uint32_t exponent = 0x7f800000;
  std::uint32_t found = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    found |= (std::bit_cast<std::uint32_t>(values[i]) & exponent) == exponent ? 1U : 0U;
  }
  if (!found) return -1;
  std::int64_t i = 0;
  while ((std::bit_cast<std::uint32_t>(values[i]) & exponent) != exponent) ++i;
  return i;
}

}  // namespace

std::string shape_text_of(std::int64_t rows, std::int64_t cols) {
  const std::int64_t shape[] = {rows, cols};
  return shape_text(rows == 1 ? std::span(shape).subspan(1) : std::span(shape));
}

BoundTensor::BoundTensor(const TensorSlot& slot, const StoredTensor& stored, const ModelConfig& config,
                         const Architecture& architecture, bool hf_names, bool interleaved_heads)
    : stored_(&stored),
      rows_(dim_size(slot.rows, config)),
      cols_(dim_size(slot.cols, config)),
      stored_rows_(rows_),
      transposed_(hf_names && slot.hf_transposed) {
  if (!stored.type) {
    fail(ErrorKind::data, "{}: tensor {} has the type {}, which cannot be read", stored.file, in_quotes(stored.name),
         in_quotes(stored.type_name));
  }
  if (slot.part >= 0) {
    first_row_ = slot.part * rows_;
    stored_rows_ = fused_parts * rows_;
  }
  const bool vector = rows_ == 1;
  const std::int64_t wanted_rows = vector ? 1 : transposed_ ? cols_ : stored_rows_;
  const std::int64_t wanted_cols = vector ? stored_rows_ * cols_ : transposed_ ? stored_rows_ : cols_;
  if (!same_shape(stored.shape, wanted_rows, wanted_cols)) {
    fail(ErrorKind::data, "{}: tensor {} has shape {}; the configuration asks for {}", stored.file,
         in_quotes(stored.name), shape_text(stored.shape), shape_text_of(wanted_rows, wanted_cols));
  }
  if (hf_names && architecture.hf_norms_less_one && slot.name.ends_with("norm.weight")) add_ = 1;
  const bool cuts_blocks = transposed_ || (slot.part >= 0 && vector);
  if (cuts_blocks && block_layout(*stored.type).elements != 1) {
    fail(ErrorKind::data, "{}: tensor {} is of type {}, whose blocks cannot be taken apart", stored.file,
         in_quotes(stored.name), stored.type_name);
  }
  if (interleaved_heads && slot.head_rows != HeadRows::no) {
    head_dim_ = config.head_dim;
    rotary_ = config.rope.rotary_dim;
  }
}

const std::byte* BoundTensor::at(std::int64_t element) const {
  const BlockLayout layout = block_layout(*stored_->type);
  return stored_->bytes.data() + element / layout.elements * layout.bytes;
}

std::int64_t BoundTensor::source_row(std::int64_t row) const {
  return first_row_ + (rotary_ ? interleaved_row(row, head_dim_, rotary_) : row);
}

void BoundTensor::check_finite(const float* values, std::int64_t count, std::int64_t row) const {
  if (const auto bad = first_not_finite(values, count); bad >= 0) {
    fail(ErrorKind::data, "{}: tensor {}: row {}, column {} is {}; the weights are damaged", stored_->file,
         in_quotes(stored_->name), row, bad, values[bad]);
  }
}

void BoundTensor::read_rows(std::int64_t first, std::int64_t count, float* out) const {
  require(first >= 0 && count >= 0 && first + count <= rows_, "rows [{}, {}) of {}", first, first + count, rows_);
  if (transposed_) return read_transposed(first, count, out);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t source = source_row(first + i);
    float* row = out + i * cols_;
    dequantise(*stored_->type, at(source * cols_), cols_, row);
    check_finite(row, cols_, source);
    if (add_ == 0) continue;
    for (std::int64_t c = 0; c < cols_; ++c) row[c] += add_;
  }
}

void BoundTensor::read_transposed(std::int64_t first, std::int64_t count, float* out) const {
  std::vector<float> column(static_cast<std::size_t>(count));
  for (std::int64_t c = 0; c < cols_; ++c) {
    dequantise(*stored_->type, at(c * stored_rows_ + first_row_ + first), count, column.data());
    check_finite(column.data(), count, c);
    for (std::int64_t i = 0; i < count; ++i) out[i * cols_ + c] = column[static_cast<std::size_t>(i)];
  }
}

std::vector<float> BoundTensor::read_vector() const {
  std::vector<float> values(static_cast<std::size_t>(cols_));
  dequantise(*stored_->type, at(first_row_ * cols_), cols_, values.data());
  check_finite(values.data(), cols_, 0);
  for (float& value : values) value += add_;
  if (!rotary_) return values;
  std::vector<float> out(values.size());
  for (std::int64_t i = 0; i < cols_; ++i) {
    out[static_cast<std::size_t>(i)] = values[static_cast<std::size_t>(interleaved_row(i, head_dim_, rotary_))];
  }
  return out;
}

std::span<const std::byte> BoundTensor::raw() const {
  if (elementwise()) return {};
  const auto begin = static_cast<std::size_t>(at(first_row_ * cols_) - stored_->bytes.data());
  const auto end = static_cast<std::size_t>(at((first_row_ + rows_) * cols_) - stored_->bytes.data());
  return stored_->bytes.subspan(begin, end - begin);
}

std::function<std::int64_t(std::int64_t row)> BoundTensor::row_order() const {
  if (rotary_ == 0) return {};
  return [head_dim = head_dim_, rotary = rotary_](std::int64_t row) { return interleaved_row(row, head_dim, rotary); };
}

}  // namespace kvmend
