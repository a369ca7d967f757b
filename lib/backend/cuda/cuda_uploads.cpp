#include "backend/cuda/cuda_uploads.h"

#include "core/error.h"

namespace kvmend::cuda {

CudaUploads::Event CudaUploads::make_event(unsigned flags) {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, flags), "making an event");
  return Event(event);
}

CudaUploads::CudaUploads(std::shared_ptr<Device> device)
    : device_(std::move(device)), allocated_(make_event(cudaEventDisableTiming)) {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream for uploads");
}

CudaUploads::~CudaUploads() {
  cudaStreamSynchronize(stream_);
  while (!copies_.empty()) drop_first();
  cudaStreamDestroy(stream_);
}

/// The copy's seconds.
double CudaUploads::drop_first() {
  const Copy& copy = copies_.front();
  float milliseconds = 0;
  if (cudaEventElapsedTime(&milliseconds, copy.begun.get(), copy.done.get()) != cudaSuccess) {
    cudaGetLastError();  // a lost device is found out by what waits for it
    milliseconds = 0;
  }
  copies_.pop_front();
  ++first_;
  return milliseconds / 1e3;
}

std::int64_t CudaUploads::begin(const Tensor& to, std::span<const std::byte> from) {
  require(to.stride() == to.cols() && static_cast<std::size_t>(to.bytes()) == from.size(),
          "an upload of {} bytes to a tensor of {}", from.size(), to.bytes());
  // The memory is the tensor's once the device's stream has come to its allocation.
  check(cudaEventRecord(allocated_.get(), device_->stream()), "marking an allocation");
  check(cudaStreamWaitEvent(stream_, allocated_.get(), 0), "waiting for an allocation");
  Copy made{to, make_event(cudaEventDefault), make_event(cudaEventDefault)};  // all there is to wait for, or no copy
  const Copy& copy = copies_.emplace_back(std::move(made));  // before anything is under way: it keeps the memory
  check(cudaEventRecord(copy.begun.get(), stream_), "marking an upload's begin");
  check(cudaMemcpyAsync(device_data(to), from.data(), from.size(), cudaMemcpyHostToDevice, stream_), "uploading");
  check(cudaEventRecord(copy.done.get(), stream_), "marking an upload's end");
  return first_ + static_cast<std::int64_t>(copies_.size()) - 1;
}

void CudaUploads::order(std::int64_t number) {
  require(number < first_ + static_cast<std::int64_t>(copies_.size()), "upload {} was not begun", number);
  if (number < first_) return;
  check(cudaStreamWaitEvent(device_->stream(), copies_[static_cast<std::size_t>(number - first_)].done.get(), 0),
        "ordering work behind an upload");
}

double CudaUploads::wait(std::int64_t number) {
  require(number < first_ + static_cast<std::int64_t>(copies_.size()), "upload {} was not begun", number);
  if (number < first_) return 0;
  check(cudaEventSynchronize(copies_[static_cast<std::size_t>(number - first_)].done.get()), "waiting for an upload");
  double seconds = 0;
  while (first_ <= number) seconds += drop_first();
  return seconds;
}

}  // namespace kvmend::cuda
