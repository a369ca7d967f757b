#include "device.h"

#include <algorithm>
#include <cstdio>

#include "options.h"

namespace simt {

Device& Device::get() {
  options();  // made before the device, and so there until it has gone
  static Device device;
  return device;
}

Device::~Device() {
  if (!options().report) return;
  std::fprintf(stderr, "SIMT: %zu KiB of memory at most, %lld allocations, %lld launches\n",
               (memory.most_used() + 1023) / 1024, static_cast<long long>(memory.allocations()),
               static_cast<long long>(launches));
}

void Device::run_one(Stream& stream) {
  const auto operation = std::move(stream.operations.front());
  stream.operations.pop_front();
  if (sticky_ != cudaSuccess) return;
  operation();
}

/// Looks for writes outside of allocations: once something waits, for every look goes over all of them.
void Device::look_for_damage() {
  if (sticky_ != cudaSuccess) return;
  const std::string damage = memory.damage();
  if (!damage.empty()) fault(damage, cudaErrorIllegalAddress);
}

cudaError_t Device::enqueue(cudaStream_t stream, std::function<void()> operation) {
  if (sticky_ != cudaSuccess) return sticky_;
  Stream* found = find(stream);
  if (found == nullptr) {
    fault("an operation on the default stream or on one that does not exist", cudaErrorInvalidResourceHandle);
    return report(cudaErrorInvalidResourceHandle);
  }
  found->operations.push_back(std::move(operation));
  return cudaSuccess;
}

void Device::run_until(const std::shared_ptr<Mark>& mark) {
  while (!mark->reached && !mark->stream->operations.empty()) run_one(*mark->stream);
  look_for_damage();
}

cudaError_t Device::synchronise(Stream& stream) {
  if (stream.operations.empty()) return sticky_;
  while (!stream.operations.empty()) run_one(stream);
  look_for_damage();
  return sticky_;
}

cudaError_t Device::synchronise_all() {
  for (const auto& stream : streams_) synchronise(*stream);
  return sticky_;
}

Stream* Device::new_stream() { return streams_.insert(std::make_unique<Stream>()).first->get(); }

Stream* Device::find(cudaStream_t stream) {
  for (const auto& known : streams_)
    if (known.get() == reinterpret_cast<Stream*>(stream)) return known.get();
  return nullptr;
}

bool Device::remove_stream(Stream* stream) {
  const auto found =
      std::find_if(streams_.begin(), streams_.end(), [&](const auto& known) { return known.get() == stream; });
  if (found == streams_.end()) return false;
  synchronise(*stream);
  streams_.erase(found);
  return true;
}

void Device::fault(const std::string& what, cudaError_t error) {
  if (sticky_ != cudaSuccess) return;
  sticky_ = error;
  fault_text_ = what;
  if (!quiet) std::fprintf(stderr, "SIMT: %s\n", what.c_str());
}

cudaError_t Device::report(cudaError_t error) {
  if (error != cudaSuccess) last_ = error;
  return error;
}

cudaError_t Device::take_last() {
  const cudaError_t error = sticky_ != cudaSuccess ? sticky_ : last_;
  last_ = cudaSuccess;
  return error;
}

void Device::reset() {
  for (const auto& stream : streams_) stream->operations.clear();
  sticky_ = last_ = cudaSuccess;
  fault_text_.clear();
}

}  // namespace simt
