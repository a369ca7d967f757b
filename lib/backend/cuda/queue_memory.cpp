// Copies between host and card, through pinned memory.
#include <algorithm>
#include <cstring>

#include "backend/cuda/cuda_queue.h"
#include "backend/host/bf16.h"
#include "core/error.h"

namespace kvmend::cuda {

launch::Rows rows_of(const Tensor& tensor) {
  if (!tensor) return {};
  return {device_data(tensor), tensor.stride(), tensor.rows(), tensor.cols(), tensor.dtype()};
}

const std::int32_t* indices_of(const Tensor& tensor) {
  require(!tensor || tensor.dtype() == DType::i32, "an index list of {}", tensor ? dtype_name(tensor.dtype()) : "");
  return static_cast<const std::int32_t*>(device_data(tensor));
}

namespace {

std::size_t row_bytes(const Tensor& tensor) {
  return static_cast<std::size_t>(tensor.cols()) * dtype_bytes(tensor.dtype());
}
std::size_t pitch(const Tensor& tensor) {
  return static_cast<std::size_t>(std::max(tensor.stride(), tensor.cols())) * dtype_bytes(tensor.dtype());
}
std::int64_t rows_of_piece(const Tensor& tensor) {
  require(row_bytes(tensor) <= Staging::kPiece, "a row of {} bytes", row_bytes(tensor));
  return static_cast<std::int64_t>(Staging::kPiece / std::max<std::size_t>(1, row_bytes(tensor)));
}

/// Rows that begin `pitch` bytes apart.
struct Strided {
  void* data;
  std::size_t pitch;
};

/// Rows of `width` bytes. A dense column of 100,000 indices goes in one piece: as rows of 4 bytes it would be slow.
cudaError_t copy_rows(const Strided& to, const Strided& from, std::size_t width, std::int64_t rows, cudaMemcpyKind kind,
                      cudaStream_t stream) {
  const auto height = static_cast<std::size_t>(rows);
  if (to.pitch == width && from.pitch == width)
    return cudaMemcpyAsync(to.data, from.data, width * height, kind, stream);
  return cudaMemcpy2DAsync(to.data, to.pitch, from.data, from.pitch, width, height, kind, stream);
}

}  // namespace

template <class Fill>
void CudaQueue::upload_rows(const Tensor& to, const Fill& fill) {
  if (to.rows() == 0 || to.cols() == 0) return;
  const std::int64_t step = rows_of_piece(to);
  for (std::int64_t first = 0; first < to.rows(); first += step) {
    const std::int64_t count = std::min(step, to.rows() - first);
    std::byte* staged = device_->staging().piece(static_cast<std::size_t>(count) * row_bytes(to));
    fill(staged, first, count);
    check(copy_rows({device_data(to.row_range(first, count)), pitch(to)}, {staged, row_bytes(to)}, row_bytes(to), count,
                    cudaMemcpyHostToDevice, stream()),
          "copying to the device");
  }
}

template <class Read>
void CudaQueue::download_rows(const Tensor& from, const Read& read) {
  if (from.rows() == 0 || from.cols() == 0) return finish();
  const std::int64_t step = rows_of_piece(from);
  std::byte* landed = device_->staging().landing();
  for (std::int64_t first = 0; first < from.rows(); first += step) {
    const std::int64_t count = std::min(step, from.rows() - first);
    check(copy_rows({landed, row_bytes(from)}, {device_data(from.row_range(first, count)), pitch(from)},
                    row_bytes(from), count, cudaMemcpyDeviceToHost, stream()),
          "copying from the device");
    finish();
    read(landed, first, count);
  }
}

void CudaQueue::do_upload(const Tensor& to, std::span<const float> from) {
  upload_rows(to, [&](std::byte* staged, std::int64_t first, std::int64_t count) {
    const float* values = from.data() + first * to.cols();
    if (to.dtype() == DType::bf16)
      std::transform(values, values + count * to.cols(), reinterpret_cast<Bf16*>(staged), to_bf16);
    else
      std::memcpy(staged, values, static_cast<std::size_t>(count * to.cols()) * sizeof(float));
  });
}

void CudaQueue::do_upload(const Tensor& to, std::span<const std::int32_t> from) {
  upload_rows(to, [&](std::byte* staged, std::int64_t first, std::int64_t count) {
    std::memcpy(staged, from.data() + first * to.cols(),
                static_cast<std::size_t>(count * to.cols()) * sizeof(std::int32_t));
  });
}

/// From pinned memory directly: nobody waits, and nothing is copied twice.
void CudaQueue::do_upload_raw(const Tensor& to, std::span<const std::byte> from) {
  if (device_->pinned().has(from)) {
    check(cudaMemcpyAsync(device_data(to), from.data(), from.size(), cudaMemcpyHostToDevice, stream()),
          "copying to the device");
    return;
  }
  upload_rows(to, [&](std::byte* staged, std::int64_t first, std::int64_t count) {
    std::memcpy(staged, from.data() + static_cast<std::size_t>(first) * row_bytes(to),
                static_cast<std::size_t>(count) * row_bytes(to));
  });
}

void CudaQueue::do_download(std::span<float> to, const Tensor& from) {
  download_rows(from, [&](const std::byte* landed, std::int64_t first, std::int64_t count) {
    float* values = to.data() + first * from.cols();
    const auto* halves = reinterpret_cast<const Bf16*>(landed);
    if (from.dtype() == DType::bf16)
      std::transform(halves, halves + count * from.cols(), values, [](Bf16 v) { return to_float(v); });
    else
      std::memcpy(values, landed, static_cast<std::size_t>(count * from.cols()) * sizeof(float));
  });
}

void CudaQueue::do_download(std::span<std::int32_t> to, const Tensor& from) {
  download_rows(from, [&](const std::byte* landed, std::int64_t first, std::int64_t count) {
    std::memcpy(to.data() + first * from.cols(), landed,
                static_cast<std::size_t>(count * from.cols()) * sizeof(std::int32_t));
  });
}

void CudaQueue::do_download_raw(std::span<std::byte> to, const Tensor& from) {
  if (device_->pinned().has(to)) {
    check(cudaMemcpyAsync(to.data(), device_data(from), to.size(), cudaMemcpyDeviceToHost, stream()),
          "copying from the device");
    return;
  }
  download_rows(from, [&](const std::byte* landed, std::int64_t first, std::int64_t count) {
    std::memcpy(to.data() + static_cast<std::size_t>(first) * row_bytes(from), landed,
                static_cast<std::size_t>(count) * row_bytes(from));
  });
}

Tensor CudaQueue::do_allocate(DType dtype, std::int64_t rows, std::int64_t cols) {
  return allocate_on(device_, dtype, rows, cols);
}

}  // namespace kvmend::cuda
