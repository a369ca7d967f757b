#include "backend/cuda/cuda_backend.h"

#include <algorithm>
#include <cstring>

#include "backend/cuda/cuda_queue.h"
#include "backend/cuda/cuda_weight.h"
#include "backend/cuda/launch.h"
#include "core/error.h"

namespace kvmend::cuda {

CudaBackend::CudaBackend(DType compute_dtype, int ordinal, int threads)
    : compute_dtype_(compute_dtype), threads_(std::max(1, threads)), device_(std::make_shared<Device>(ordinal)) {}

std::string CudaBackend::description() const {
  return fmt::format("{} (compute capability {}.{}, {} multiprocessors), {}", device_->name(),
                     device_->capability() / 10, device_->capability() % 10, device_->multiprocessors(),
                     compute_dtype_ == DType::bf16 ? "bf16 on tensor cores" : "float32 without TF32");
}

Tensor CudaBackend::allocate(DType dtype, std::int64_t rows, std::int64_t cols) {
  return allocate_on(device_, dtype, rows, cols);
}

/// Rows by rows through pinned memory: stored blocks where the file has them in order, dequantised on the card; float32
/// otherwise.
void CudaBackend::load(const WeightSource& source, const Tensor& to) {
  const bool as_stored = !source.raw.empty();
  const std::size_t row_bytes = as_stored ? source.raw.size() / static_cast<std::size_t>(source.rows)
                                          : static_cast<std::size_t>(source.cols) * sizeof(float);
  require(row_bytes <= Staging::kPiece, "'{}': a row of {} bytes", source.name, row_bytes);
  const std::int64_t step = std::max<std::int64_t>(1, static_cast<std::int64_t>(Staging::kPiece / row_bytes));
  for (std::int64_t first = 0; first < source.rows; first += step) {
    const std::int64_t count = std::min(step, source.rows - first);
    const std::size_t bytes = static_cast<std::size_t>(count) * row_bytes;
    std::byte* staged = device_->staging().piece(bytes);
    if (as_stored)
      std::memcpy(staged, source.raw.data() + static_cast<std::size_t>(first) * row_bytes, bytes);
    else
      source.read_rows(first, count, reinterpret_cast<float*>(staged));
    const DeviceBuffer blocks(device_, bytes);
    check(cudaMemcpyAsync(blocks.data(), staged, bytes, cudaMemcpyHostToDevice, device_->stream()), "loading weights");
    check(launch::dequantise(device_data(to.row_range(first, count)), to.dtype(), blocks.data(),
                             as_stored ? source.type : StoredType::f32, count * source.cols, device_->stream()),
          "converting weights");
  }
}

WeightPtr CudaBackend::prepare(const WeightSource& source) { return prepare({&source, 1}); }

WeightPtr CudaBackend::prepare(std::span<const WeightSource> sources) {
  require(!sources.empty(), "prepare: no matrix");
  auto weight = std::make_shared<CudaWeight>();
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
    load(source, weight->values.row_range(row, source.rows));
    row += source.rows;
  }
  return weight;
}

Tensor CudaBackend::prepare_table(const WeightSource& source) {
  const Tensor table = allocate(compute_dtype_, source.rows, source.cols);
  load(source, table);
  return table;
}

std::unique_ptr<Queue> CudaBackend::make_queue() { return std::make_unique<CudaQueue>(compute_dtype_, device_); }

}  // namespace kvmend::cuda
