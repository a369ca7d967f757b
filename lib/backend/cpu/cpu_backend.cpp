#include "backend/cpu/cpu_backend.h"

#include <algorithm>
#include <vector>

#include "backend/cpu/cpu_queue.h"
#include "backend/cpu/cpu_weight.h"
#include "backend/cpu/onednn.h"
#include "backend/host/host_buffer.h"
#include "backend/stacked.h"
#include "core/error.h"

namespace kvmend {

namespace {

constexpr std::int64_t kElementsAtOnce = 1 << 16;  // of a weight, dequantised by one thread at a time

/// Rows [first, first + count) of several matrices stacked, as float32.
void read_stacked(std::span<const WeightSource> sources, std::int64_t first, std::int64_t count, float* to) {
  for (const WeightSource& source : sources) {  // `first` counts from this matrix's first row
    const std::int64_t begin = std::max<std::int64_t>(0, first), end = std::min(first + count, source.rows);
    if (begin < end) source.read_rows(begin, end - begin, to + (begin - first) * source.cols);
    first -= source.rows;
  }
}

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
  packs_ = products == Products::best && (compute_dtype == DType::f32 || kernels.packed_pairs != nullptr);
}

std::string CpuBackend::description() const {
  const char* products = compute_dtype_ == DType::f32 ? "float32"
                         : packs_                     ? "bf16 products by the processor"
                                                      : "operands rounded to bf16 before float32 products";
  return fmt::format("{} kernels, {}{} thread{}, {}", kernels_.name, packs_ ? "" : onednn::version() + ", ", threads(),
                     threads() == 1 ? "" : "s", products);
}

Tensor CpuBackend::allocate(DType dtype, std::int64_t rows, std::int64_t cols) {
  return allocate_host(dtype, rows, cols);
}

WeightPtr CpuBackend::prepare(const WeightSource& source) { return prepare({&source, 1}); }

Tensor CpuBackend::pack(std::span<const WeightSource> sources, std::int64_t rows, std::int64_t cols) {
  const PackedProducts& products = packed_products(kernels_, compute_dtype_);
  const std::int64_t columns = products.columns, steps = products.steps(cols);
  const Tensor packed = allocate(DType::f32, (rows + columns - 1) / columns, steps * columns);
  const std::int64_t grain = std::max<std::int64_t>(1, kElementsAtOnce / std::max<std::int64_t>(1, columns * cols));
  workers_.parallel_for(packed.rows(), grain, [&](std::int64_t begin, std::int64_t end, int) {
    const std::int64_t first = begin * columns, count = std::min(rows, end * columns) - first;
    std::vector<float> values(static_cast<std::size_t>(count * cols));
    read_stacked(sources, first, count, values.data());
    products.pack_panels({values.data(), cols, count, cols, host_data<float>(packed) + begin * packed.stride()}, 0,
                         end - begin);
  });
  return packed;
}

WeightPtr CpuBackend::prepare(std::span<const WeightSource> sources) {
  auto weight = std::make_shared<CpuWeight>();
  set_stacked_shape(*weight, sources);
  weight->bytes = weight->rows * weight->cols * static_cast<std::int64_t>(dtype_bytes(compute_dtype_));
  if (packs_) {
    weight->packed = pack(sources, weight->rows, weight->cols);
    return weight;
  }
  weight->values = allocate(compute_dtype_, weight->rows, weight->cols);
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
  return std::make_unique<CpuQueue>(compute_dtype_, kernels_, workers_);
}

}  // namespace kvmend
