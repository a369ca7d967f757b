// Norms, products, rotation.
#include "backend/host/host_buffer.h"
#include "backend/reference/reference_backend.h"
#include "backend/reference/reference_queue.h"
#include "core/error.h"

namespace kvmend {

using reference::Matrix;
using reference::RowVector;

void ReferenceQueue::do_rms_norm(const Tensor& out, const Tensor& x, const Tensor& weight, float eps, int groups) {
  Matrix values = reference::read(x);
  const RowVector w = reference::read(weight).row(0);
  for (Eigen::Index r = 0; r < values.rows(); ++r)
    for (int g = 0; g < groups; ++g) {
      auto part = values.row(r).segment(g * w.size(), w.size());
      const float mean_square = part.squaredNorm() / static_cast<float>(w.size());
      part = (part / std::sqrt(mean_square + eps)).cwiseProduct(w).eval();
    }
  reference::write(out, values);
}

void ReferenceQueue::do_layer_norm(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias,
                                   float eps) {
  Matrix values = reference::read(x);
  const RowVector w = reference::read(weight).row(0);
  for (Eigen::Index r = 0; r < values.rows(); ++r) {
    RowVector row = values.row(r).array() - values.row(r).mean();
    const float variance = row.squaredNorm() / static_cast<float>(row.size());
    row = (row / std::sqrt(variance + eps)).cwiseProduct(w).eval();
    if (bias) row += reference::read(bias).row(0);
    values.row(r) = row;
  }
  reference::write(out, values);
}

void ReferenceQueue::do_matmul(const Tensor& out, const Tensor& x, const Weight& weight, const MatmulOptions& options) {
  const auto* ours = dynamic_cast<const ReferenceWeight*>(&weight);
  require(ours != nullptr, "matmul: a weight prepared by another backend");
  Matrix operand = reference::read(x);
  if (rounds()) operand = reference::rounded(operand);
  Matrix product(operand.rows(), ours->values.rows());
  if (operand.rows() <= ReferenceBackend::kRowByRow)
    for (Eigen::Index r = 0; r < operand.rows(); ++r) product.row(r) = operand.row(r) * ours->values.transpose();
  else
    product = operand * ours->values.transpose();
  if (options.bias) product.rowwise() += reference::read(options.bias).row(0);
  if (options.accumulate) product += reference::read(out);
  reference::write(out, product);
}

void ReferenceQueue::do_rope(const Tensor& out, const Tensor& x, const Tensor& positions, const Tensor& table,
                             int head_dim) {
  const std::int32_t* position = host_indices(positions, 0, table.rows(), "rope: positions");
  const Eigen::Index half = table.cols() / 2;
  const Matrix angles = reference::read(table);
  Matrix values = reference::read(x);
  for (Eigen::Index r = 0; r < values.rows(); ++r) {
    const RowVector cosine = angles.row(position[r]).head(half), sine = angles.row(position[r]).tail(half);
    for (Eigen::Index head = 0; head < values.cols(); head += head_dim) {
      const RowVector low = values.row(r).segment(head, half), high = values.row(r).segment(head + half, half);
      values.row(r).segment(head, half) = low.cwiseProduct(cosine) - high.cwiseProduct(sine);
      values.row(r).segment(head + half, half) = high.cwiseProduct(cosine) + low.cwiseProduct(sine);
    }
  }
  reference::write(out, values);
}

}  // namespace kvmend
