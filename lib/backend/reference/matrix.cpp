#include "backend/reference/matrix.h"

#include "backend/host/host_buffer.h"
#include "core/error.h"

namespace kvmend::reference {

Matrix read(const Tensor& tensor) {
  Matrix values(tensor.rows(), tensor.cols());
  const auto fill = [&](const auto* from) {
    for (std::int64_t r = 0; r < tensor.rows(); ++r)
      for (std::int64_t c = 0; c < tensor.cols(); ++c) values(r, c) = to_float(from[r * tensor.stride() + c]);
  };
  if (tensor.dtype() == DType::bf16)
    fill(host_data<Bf16>(tensor));
  else
    fill(host_data<float>(tensor));
  return values;
}

void write(const Tensor& tensor, const Matrix& values) {
  require(values.rows() == tensor.rows() && values.cols() == tensor.cols(), "reference: writing [{}, {}] to [{}, {}]",
          values.rows(), values.cols(), tensor.rows(), tensor.cols());
  const auto store = [&](auto* to, const auto& convert) {
    for (std::int64_t r = 0; r < tensor.rows(); ++r)
      for (std::int64_t c = 0; c < tensor.cols(); ++c) to[r * tensor.stride() + c] = convert(values(r, c));
  };
  if (tensor.dtype() == DType::bf16)
    store(host_data<Bf16>(tensor), to_bf16);
  else
    store(host_data<float>(tensor), [](float v) { return v; });
}

Matrix rounded(const Matrix& values) {
  return values.unaryExpr([](float v) { return round_bf16(v); });
}

}  // namespace kvmend::reference
