#pragma once
#include <span>

#include "model/model.h"

namespace kvmend {

/// i32 [n, 1] on the device.
inline Tensor upload_indices(const Model& model, Queue& queue, std::span<const std::int32_t> indices) {
  const Tensor out = model.backend().allocate(DType::i32, static_cast<std::int64_t>(indices.size()), 1);
  queue.upload(out, indices);
  return out;
}

/// Rows of `from` in the indices' order, as a tensor of their own.
inline Tensor gathered(const Model& model, Queue& queue, const Tensor& from, const Tensor& indices) {
  const Tensor out = model.backend().allocate(from.dtype(), indices.rows(), from.cols());
  queue.gather_rows(out, from, indices);
  return out;
}

/// f32 [rows, cols] on the host.
inline std::vector<float> downloaded(Queue& queue, const Tensor& from) {
  std::vector<float> out(static_cast<std::size_t>(from.rows() * from.cols()));
  queue.download(out, from);
  return out;
}

}  // namespace kvmend
