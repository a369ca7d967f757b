#include "backend/cuda/cuda_uploads.h"

#include "core/error.h"

namespace kvmend::cuda {

CudaUploads::CudaUploads(std::shared_ptr<Device> device) : device_(std::move(device)) {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream for uploads");
  check(cudaEventCreateWithFlags(&allocated_, cudaEventDisableTiming), "making an event");
}

CudaUploads::~CudaUploads() {
  cudaStreamSynchronize(stream_);
  while (!copies_.empty()) drop_first();
  cudaEventDestroy(allocated_);
  cudaStreamDestroy(stream_);
}

/// The copy's seconds.
double CudaUploads::drop_first() {
  const Copy& copy = copies_.front();
  float milliseconds = 0;
  if (copy.done != nullptr && cudaEventElapsedTime(&milliseconds, copy.begun, copy.done) != cudaSuccess) {
    cudaGetLastError();  // a lost device is found out by what waits for it
    milliseconds = 0;
  }
  for (cudaEvent_t event : {copy.begun, copy.done})
    if (event != nullptr) cudaEventDestroy(event);
  copies_.pop_front();
  ++first_;
  return milliseconds / 1e3;
}

std::int64_t CudaUploads::begin(const Tensor& to, std::span<const std::byte> from) {
  require(to.stride() == to.cols() && static_cast<std::size_t>(to.bytes()) == from.size(),
          "an upload of {} bytes to a tensor of {}", from.size(), to.bytes());
  // The memory is the tensor's once the device's stream has come to its allocation.
  check(cudaEventRecord(allocated_, device_->stream()), "marking an allocation");
  check(cudaStreamWaitEvent(stream_, allocated_, 0), "waiting for an allocation");
  Copy& copy = copies_.emplace_back(to);  // before anything is under way: it keeps the memory
  check(cudaEventCreateWithFlags(&copy.begun, cudaEventDefault), "making an event");
  check(cudaEventRecord(copy.begun, stream_), "marking an upload's begin");
  check(cudaMemcpyAsync(device_data(to), from.data(), from.size(), cudaMemcpyHostToDevice, stream_), "uploading");
  check(cudaEventCreateWithFlags(&copy.done, cudaEventDefault), "making an event");
  check(cudaEventRecord(copy.done, stream_), "marking an upload's end");
  return first_ + static_cast<std::int64_t>(copies_.size()) - 1;
}

void CudaUploads::order(std::int64_t number) {
  require(number < first_ + static_cast<std::int64_t>(copies_.size()), "upload {} was not begun", number);
  if (number < first_) return;
  check(cudaStreamWaitEvent(device_->stream(), copies_[static_cast<std::size_t>(number - first_)].done, 0),
        "ordering work behind an upload");
}

double CudaUploads::wait(std::int64_t number) {
  require(number < first_ + static_cast<std::int64_t>(copies_.size()), "upload {} was not begun", number);
  if (number < first_) return 0;
  check(cudaEventSynchronize(copies_[static_cast<std::size_t>(number - first_)].done), "waiting for an upload");
  double seconds = 0;
  while (first_ <= number) seconds += drop_first();
  return seconds;
}

}  // namespace kvmend::cuda
