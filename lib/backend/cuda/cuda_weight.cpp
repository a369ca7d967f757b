// Weights from a file's mapped bytes to the card.
#include "backend/cuda/cuda_weight.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/launch.h"
#include "backend/device_error.h"
#include "backend/stacked.h"
#include "backend/weight_bytes.h"
#include "core/size_text.h"

namespace kvmend::cuda {

namespace {

std::size_t stored_row_bytes(const WeightSource& source) {
  return source.raw.empty() ? static_cast<std::size_t>(source.cols) * sizeof(float)
                            : source.raw.size() / static_cast<std::size_t>(source.rows);
}

/// Rows [first, first + count) as they are going to lie on the card: stored blocks, or float32 where the file has none.
void read_stored(const WeightSource& source, std::int64_t first, std::int64_t count, std::byte* to) {
  const std::size_t bytes = stored_row_bytes(source);
  if (source.raw.empty()) return source.read_rows(first, count, reinterpret_cast<float*>(to));
  if (!source.stored_row) {
    std::memcpy(to, source.raw.data() + static_cast<std::size_t>(first) * bytes,
                static_cast<std::size_t>(count) * bytes);
    return;
  }
  for (std::int64_t row = first; row < first + count; ++row, to += bytes)
    std::memcpy(to, source.raw.data() + static_cast<std::size_t>(source.stored_row(row)) * bytes, bytes);
}

StoredType type_on_card(const WeightSource& source) { return source.raw.empty() ? StoredType::f32 : source.type; }

/// Whether keeping them as stored takes less than `computed` bytes.
bool saves(std::span<const WeightSource> sources, std::int64_t computed) {
  std::size_t stored = 0;
  for (const WeightSource& source : sources) {
    if (source.raw.empty()) return false;
    stored += source.raw.size();
  }
  return static_cast<std::int64_t>(stored) < computed;
}

}  // namespace

void dequantise(Device& device, const CudaWeight& weight, const Tensor& to) {
  std::int64_t row = 0;
  for (const CudaWeight::Part& part : weight.parts) {
    check(launch::dequantise(device_data(to.row_range(row, part.rows)), to.dtype(), part.blocks->data(), part.type,
                             part.rows * weight.cols, device.stream()),
          "dequantising weights");
    row += part.rows;
  }
}

void CudaBackend::expect_weights(const WeightNeeds& needs) {
  device_->blas();  // its memory is gone before ours is counted
  if (needs.elements == 0) return;
  const DeviceMemory memory = this->memory();
  const auto [computed, stored] = weight_bytes(needs, compute_dtype_);
  const std::int64_t work = std::max(work_bytes_, memory.total / 32);
  const std::int64_t available = memory.free - work;
  keeps_stored_ = storage_ == WeightStorage::stored ||
                  (storage_ == WeightStorage::automatic && computed > available && stored < computed);
  if ((keeps_stored_ ? stored : computed) <= available) return;
  throw OutOfMemory(fmt::format(
      "the weights do not fit on {}: {} in {}, {} as the file stores them; {} of {} are free, of which {} are kept for "
      "work; use a smaller or more quantised model, {}{}another card or --device cpu",
      device_->name(), size_text(computed), dtype_name(compute_dtype_), size_text(stored), size_text(memory.free),
      size_text(memory.total), size_text(work), compute_dtype_ == DType::f32 ? "--dtype bf16, " : "",
      storage_ == WeightStorage::computed && stored < computed ? "weights: auto, " : ""));
}

/// The pool keeps what was freed: what a request takes later is there.
void CudaBackend::expect_work(std::int64_t bytes) {
  const auto free = static_cast<std::int64_t>(device_->memory().available);
  if (bytes > 0 && bytes < free) {
    try {
      const DeviceBuffer got_ready(device_, static_cast<std::size_t>(bytes));
    } catch (const OutOfMemory&) {
      // Not in one piece: requests ask for smaller ones, and are told where they do not fit.
    }
  }
  device_->give_back();  // nobody asks for that block again, nor for those that weights went through
}

std::shared_ptr<DeviceBuffer> CudaBackend::upload_stored(const WeightSource& source) {
  const std::size_t row_bytes = stored_row_bytes(source);
  require(row_bytes <= Staging::kPiece, "'{}': a row of {} bytes", source.name, row_bytes);
  const std::int64_t step = std::max<std::int64_t>(1, static_cast<std::int64_t>(Staging::kPiece / row_bytes));
  auto blocks = std::make_shared<DeviceBuffer>(device_, static_cast<std::size_t>(source.rows) * row_bytes);
  for (std::int64_t first = 0; first < source.rows; first += step) {
    const std::int64_t count = std::min(step, source.rows - first);
    const std::size_t bytes = static_cast<std::size_t>(count) * row_bytes;
    std::byte* staged = device_->staging().piece(bytes);
    read_stored(source, first, count, staged);
    check(cudaMemcpyAsync(static_cast<std::byte*>(blocks->data()) + static_cast<std::size_t>(first) * row_bytes, staged,
                          bytes, cudaMemcpyHostToDevice, device_->stream()),
          "loading weights");
  }
  return blocks;
}

/// read_rows names the place of a value that is not finite; here only its row is found.
void CudaBackend::check_finite(const WeightSource& source, const Tensor& values) {
  const Tensor sums = allocate(DType::f32, values.rows(), 1);
  const auto queue = make_queue();
  queue->row_deviation(sums, values);
  std::vector<float> host(static_cast<std::size_t>(values.rows()));
  queue->download(host, sums);
  const auto bad = std::find_if(host.begin(), host.end(), [](float sum) { return !std::isfinite(sum); });
  if (bad == host.end() || !source.read_rows) return;
  std::vector<float> row(static_cast<std::size_t>(source.cols));
  source.read_rows(bad - host.begin(), 1, row.data());
}

void CudaBackend::load(const WeightSource& source, const Tensor& to) {
  CudaWeight whole;
  whole.cols = source.cols;
  whole.parts.push_back({source.rows, type_on_card(source), upload_stored(source)});
  dequantise(*device_, whole, to);
  check_finite(source, to);
}

WeightPtr CudaBackend::prepare(const WeightSource& source) { return prepare({&source, 1}); }

WeightPtr CudaBackend::prepare(std::span<const WeightSource> sources) {
  auto weight = std::make_shared<CudaWeight>();
  set_stacked_shape(*weight, sources);
  const std::int64_t computed = weight->rows * weight->cols * static_cast<std::int64_t>(dtype_bytes(compute_dtype_));
  weight->bytes = computed;  // what is counted does not depend on the card's size
  if (keeps_stored_ && saves(sources, computed)) {
    const Tensor scratch = allocate(compute_dtype_, weight->rows, weight->cols);
    std::int64_t row = 0;
    for (const WeightSource& source : sources) {
      weight->parts.push_back({source.rows, source.type, upload_stored(source)});
    }
    dequantise(*device_, *weight, scratch);
    for (const WeightSource& source : sources) {
      check_finite(source, scratch.row_range(row, source.rows));
      row += source.rows;
    }
    return weight;
  }
  weight->values = allocate(compute_dtype_, weight->rows, weight->cols);
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

}  // namespace kvmend::cuda
