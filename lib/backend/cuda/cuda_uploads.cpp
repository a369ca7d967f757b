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

void CudaUploads::drop_first() {
  cudaEventDestroy(copies_.front().done);
  copies_.pop_front();
  ++first_;
}

std::int64_t CudaUploads::begin(const Tensor& to, std::span<const std::byte> from) {
  require(to.stride() == to.cols() && static_cast<std::size_t>(to.bytes()) == from.size(),
          "an upload of {} bytes to a tensor of {}", from.size(), to.bytes());
  // The memory is the tensor's once the device's stream has come to its allocation.
  check(cudaEventRecord(allocated_, device_->stream()), "marking an allocation");
  check(cudaStreamWaitEvent(stream_, allocated_, 0), "waiting for an allocation");
  check(cudaMemcpyAsync(device_data(to), from.data(), from.size(), cudaMemcpyHostToDevice, stream_), "uploading");
  Copy& copy = copies_.emplace_back(to);
  check(cudaEventCreateWithFlags(&copy.done, cudaEventDisableTiming), "making an event");
  check(cudaEventRecord(copy.done, stream_), "marking an upload's end");
  return first_ + static_cast<std::int64_t>(copies_.size()) - 1;
}

void CudaUploads::wait(std::int64_t number) {
  require(number < first_ + static_cast<std::int64_t>(copies_.size()), "upload {} was not begun", number);
  if (number < first_) return;
  check(cudaEventSynchronize(copies_[static_cast<std::size_t>(number - first_)].done), "waiting for an upload");
  while (first_ <= number) drop_first();
}

}  // namespace kvmend::cuda
