#include "backend/reference/reference_backend.h"

#include "backend/host/host_buffer.h"
#include "backend/reference/reference_queue.h"
#include "backend/stacked.h"

namespace kvmend {

std::string ReferenceBackend::description() const {
  return compute_dtype_ == DType::bf16 ? "Eigen, 1 thread, operands rounded to bf16" : "Eigen, 1 thread, float32";
}

Tensor ReferenceBackend::allocate(DType dtype, std::int64_t rows, std::int64_t cols) {
  return allocate_host(dtype, rows, cols);
}

WeightPtr ReferenceBackend::prepare(const WeightSource& source) { return prepare({&source, 1}); }

WeightPtr ReferenceBackend::prepare(std::span<const WeightSource> sources) {
  auto weight = std::make_shared<ReferenceWeight>();
  set_stacked_shape(*weight, sources);
  weight->values.resize(weight->rows, weight->cols);
  std::int64_t row = 0;
  for (const WeightSource& source : sources) {
    source.read_rows(0, source.rows, weight->values.data() + row * weight->cols);
    row += source.rows;
  }
  if (compute_dtype_ == DType::bf16) weight->values = reference::rounded(weight->values);
  weight->bytes = weight->rows * weight->cols * static_cast<std::int64_t>(sizeof(float));
  return weight;
}

Tensor ReferenceBackend::prepare_table(const WeightSource& source) {
  reference::Matrix values(source.rows, source.cols);
  source.read_rows(0, source.rows, values.data());
  const Tensor table = allocate(compute_dtype_, source.rows, source.cols);
  reference::write(table, values);
  return table;
}

std::unique_ptr<Queue> ReferenceBackend::make_queue() { return std::make_unique<ReferenceQueue>(compute_dtype_); }

}  // namespace kvmend
