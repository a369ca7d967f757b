// Activations, sums, and reductions of rows.
#include <cmath>
#include <numbers>

#include "backend/host/host_buffer.h"
#include "backend/reference/matrix.h"
#include "backend/reference/reference_queue.h"

namespace kvmend {

using reference::Matrix;

namespace {

float activated(float x, Activation activation) {
  switch (activation) {
    case Activation::silu: return x / (1 + std::exp(-x));
    case Activation::gelu_tanh: {
      const float inner = std::sqrt(2 / std::numbers::pi_v<float>) * (x + 0.044715F * x * x * x);
      return 0.5F * x * (1 + std::tanh(inner));
    }
    case Activation::gelu: return 0.5F * x * (1 + std::erf(x / std::numbers::sqrt2_v<float>));
  }
  return x;
}

Matrix activated(const Matrix& x, Activation activation) {
  return x.unaryExpr([activation](float v) { return activated(v, activation); });
}

}  // namespace

void ReferenceQueue::do_gated(const Tensor& out, const Tensor& gate, const Tensor& up, Activation activation) {
  reference::write(out, activated(reference::read(gate), activation).cwiseProduct(reference::read(up)));
}

void ReferenceQueue::do_activate(const Tensor& out, const Tensor& x, Activation activation) {
  reference::write(out, activated(reference::read(x), activation));
}

void ReferenceQueue::do_add(const Tensor& out, const Tensor& x) {
  reference::write(out, reference::read(out) + reference::read(x));
}

void ReferenceQueue::do_row_deviation(const Tensor& out, const Tensor& a, const Tensor& b) {
  Matrix difference = reference::read(a);
  if (b) difference -= reference::read(b);
  reference::write(out, difference.rowwise().squaredNorm());
}

void ReferenceQueue::do_argmax(const Tensor& out, const Tensor& x) {
  const Matrix values = reference::read(x);
  for (Eigen::Index r = 0; r < values.rows(); ++r) {
    Eigen::Index best = 0;
    for (Eigen::Index c = 1; c < values.cols(); ++c)
      if (values(r, c) > values(r, best)) best = c;
    host_data<std::int32_t>(out)[r * out.stride()] = static_cast<std::int32_t>(best);
  }
}

}  // namespace kvmend
