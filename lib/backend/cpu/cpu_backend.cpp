#include "backend/cpu/cpu_backend.h"

#include <algorithm>
#include <vector>

#include "backend/cpu/cpu_queue.h"
#include "backend/cpu/cpu_weight.h"
#include "backend/cpu/onednn.h"
#include "backend/host/host_buffer.h"
#include "core/error.h"

namespace kvmend {

namespace {

constexpr std::int64_t kElementsAtOnce = 1 << 16;  // of a weight, dequantised by one thread at a time

/// Dequantises a matrix into rows of `to`, by all threads.
void load(const WeightSource& source, const Tensor& to, Workers& workers) {
  const std::int64_t grain = std::max<std::int64_t>(1, kElementsAtOnce / std::max<std::int64_t>(1, source.cols));
  workers.parallel_for(source.rows, grain, [&](std::int64_t begin, std::int64_t end, int) {
    if (to.dtype() == DType::f32) {
      source.read_rows(begin, end - begin, host_data<float>(to) + begin * to.stride());
      return;
    }
    std::vector<float> values(static_cast<std::size_t>((end - begin) * source.cols));
    source.read_rows(begin, end - begin, values.data());
    std::transform(values.begin(), values.end(), host_data<Bf16>(to) + begin * to.stride(), to_bf16);
  });
}

}  // namespace

CpuBackend::CpuBackend(DType compute_dtype, int threads, const Kernels& kernels, Products products)
    : compute_dtype_(compute_dtype), kernels_(kernels), workers_(threads) {
  const bool native = compute_dtype == DType::bf16 && onednn::has_native_bf16();
  if (native || (products == Products::blocks && compute_dtype == DType::f32))
    blocks_ = std::make_unique<onednn::BlockProducts>(compute_dtype);
}

std::string CpuBackend::description() const {
  const char* products = compute_dtype_ == DType::f32 ? "float32"
                         : blocks_                    ? "bf16 products by the processor"
                                                      : "operands rounded to bf16 before float32 products";
  return fmt::format("{} kernels, {}, {} thread{}, {}", kernels_.name, onednn::version(), threads(),
                     threads() == 1 ? "" : "s", products);
}

Tensor CpuBackend::allocate(DType dtype, std::int64_t rows, std::int64_t cols) {
  return allocate_host(dtype, rows, cols);
}

WeightPtr CpuBackend::prepare(const WeightSource& source) { return prepare({&source, 1}); }

WeightPtr CpuBackend::prepare(std::span<const WeightSource> sources) {
  require(!sources.empty(), "prepare: no matrix");
  auto weight = std::make_shared<CpuWeight>();
  weight->cols = sources.front().cols;
  for (const WeightSource& source : sources) {
    require(source.cols == weight->cols, "prepare: '{}' has {} columns, '{}' has {}", source.name, source.cols,
            sources.front().name, weight->cols);
    weight->rows += source.rows;
  }
  weight->values = allocate(compute_dtype_, weight->rows, weight->cols);
  weight->bytes = weight->values.bytes();
  std::int64_t row = 0;
  for (const WeightSource& source : sources) {
    load(source, weight->values.row_range(row, source.rows), workers_);
    row += source.rows;
  }
  return weight;
}

Tensor CpuBackend::prepare_table(const WeightSource& source) {
  const Tensor table = allocate(compute_dtype_, source.rows, source.cols);
  load(source, table, workers_);
  return table;
}

int CpuBackend::max_decode_rows() const { return CpuQueue::kFewRows; }

std::unique_ptr<Queue> CpuBackend::make_queue() {
  return std::make_unique<CpuQueue>(compute_dtype_, kernels_, workers_, blocks_.get());
}

}  // namespace kvmend
