// The part of the CUDA runtime that our backend calls, behind NVIDIA's own header.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "device.h"
#include "kept_memory.h"
#include "options.h"

using simt::Device;
using Kind = simt::Memory::Kind;

namespace {

struct Event {
  std::shared_ptr<simt::Mark> mark = std::make_shared<simt::Mark>();
  std::chrono::steady_clock::time_point time;
};

Device& device() { return Device::get(); }
cudaError_t report(cudaError_t error) { return device().report(error); }

/// The driver comes before everything else.
cudaError_t driver() {
  if (simt::options().no_driver) return report(cudaErrorNoDevice);
  if (simt::options().old_driver) return report(cudaErrorInsufficientDriver);
  return device().sticky();
}

/// `bytes` at `address` are one allocation's, checked when the copy runs: memory may be freed before.
bool readable(const void* address, std::size_t bytes, Kind kind, const char* what) {
  if (bytes == 0 || device().memory.covers(address, bytes, kind)) return true;
  device().fault(std::string(what) + " outside of any allocation", cudaErrorIllegalAddress);
  return false;
}

struct Copy {
  void* to;
  std::size_t to_pitch;
  const void* from;
  std::size_t from_pitch, width, height;
  cudaMemcpyKind kind;

  void run() const {
    if (width == 0 || height == 0) return;
    const Kind to_kind = kind == cudaMemcpyDeviceToHost ? Kind::pinned : Kind::device;
    const Kind from_kind = kind == cudaMemcpyHostToDevice ? Kind::pinned : Kind::device;
    if (!readable(to, (height - 1) * to_pitch + width, to_kind, "a copy writes") ||
        !readable(from, (height - 1) * from_pitch + width, from_kind, "a copy reads"))
      return;
    for (std::size_t row = 0; row < height; ++row)
      std::memcpy(static_cast<char*>(to) + row * to_pitch, static_cast<const char*>(from) + row * from_pitch, width);
  }
};

cudaError_t enqueue(const Copy& copy, cudaStream_t stream) {
  if (copy.height > 1 && (copy.width > copy.to_pitch || copy.width > copy.from_pitch))
    return report(cudaErrorInvalidPitchValue);
  if (copy.kind != cudaMemcpyDeviceToHost && copy.kind != cudaMemcpyHostToDevice &&
      copy.kind != cudaMemcpyDeviceToDevice)
    return report(cudaErrorInvalidMemcpyDirection);
  return device().enqueue(stream, [copy] { copy.run(); });
}

cudaError_t allocate(void** address, std::size_t bytes, Kind kind) {
  if (driver() != cudaSuccess) return driver();
  *address = nullptr;
  if (bytes == 0) return cudaSuccess;
  *address = device().memory.allocate(bytes, kind);
  return *address == nullptr ? report(cudaErrorMemoryAllocation) : cudaSuccess;
}

cudaError_t release(void* address) {
  if (address == nullptr || device().memory.release(address)) return cudaSuccess;
  device().fault("freed what is no allocation", cudaErrorInvalidValue);
  return report(cudaErrorInvalidValue);
}

}  // namespace

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = simt::options().devices;
  return simt::options().no_driver || simt::options().old_driver ? driver() : cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = simt::options().no_driver ? 0 : simt::options().old_driver ? 11040 : 13000;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int ordinal) {
  return ordinal >= 0 && ordinal < simt::options().devices ? driver() : report(cudaErrorInvalidDevice);
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int ordinal) {
  if (ordinal < 0 || ordinal >= simt::options().devices) return report(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated card %d", ordinal);
  properties->major = 8;
  properties->multiProcessorCount = 4;
  properties->sharedMemPerBlockOptin = simt::options().shared_limit;
  properties->totalGlobalMem = simt::options().memory;
  return driver();
}
cudaError_t cudaGetDevice(int* ordinal) {
  *ordinal = 0;
  return driver();
}
/// The host emulates no clock and no bus: a share of peak has no meaning here.
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
  *value = 0;
  return driver();
}
cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) {
  *total = simt::options().memory;
  *available = *total - std::min(*total, device().memory.used());
  return driver();
}

// ---- memory --------------------------------------------------------------------------------------------------

cudaError_t cudaMalloc(void** address, std::size_t bytes) { return allocate(address, bytes, Kind::device); }
cudaError_t cudaFree(void* address) {
  device().synchronise_all();
  return release(address);
}
/// Memory is there at once; only its end is in the stream's order.
cudaError_t cudaMallocAsync(void** address, std::size_t bytes, cudaStream_t stream) {
  if (device().find(stream) == nullptr) return report(cudaErrorInvalidResourceHandle);
  return allocate(address, bytes, Kind::device);
}
cudaError_t cudaFreeAsync(void* address, cudaStream_t stream) {
  if (address == nullptr) return cudaSuccess;
  if (device().sticky() != cudaSuccess) {  // the stream runs no more: the memory ends with the process
    device().memory.release(address);
    return device().sticky();
  }
  return device().enqueue(stream, [address] { release(address); });
}
cudaError_t cudaMallocHost(void** address, std::size_t bytes) { return allocate(address, bytes, Kind::pinned); }
cudaError_t cudaFreeHost(void* address) {
  device().synchronise_all();
  return release(address);
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return enqueue({to, bytes, from, bytes, bytes, 1, kind}, stream);
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  return enqueue({to, to_pitch, from, from_pitch, width, height, kind}, stream);
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  return device().enqueue(stream, [=] {
    if (readable(to, bytes, Kind::device, "cudaMemset writes")) std::memset(to, value, bytes);
  });
}
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
  *pool = reinterpret_cast<cudaMemPool_t>(&device());
  return driver();
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return driver(); }
/// What is freed leaves the pool at once.
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr, void* value) {
  *static_cast<std::uint64_t*>(value) = device().memory.used();
  return driver();
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, std::size_t) { return driver(); }

cudaError_t simtRetire(void* address, cudaStream_t stream) {
  return device().enqueue(stream, [address] {
    if (!device().memory.retire(address)) device().fault("kept what is no allocation in use", cudaErrorInvalidValue);
  });
}
cudaError_t simtRevive(void* address, cudaStream_t stream) {
  return device().enqueue(stream, [address] {
    if (!device().memory.revive(address)) device().fault("took what was not kept", cudaErrorInvalidValue);
  });
}
std::int64_t simtAllocations() { return device().memory.allocations(); }
std::int64_t simtWaits() { return device().waits; }

// ---- streams and events ---------------------------------------------------------------------------------------

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  if (driver() != cudaSuccess) return driver();
  *stream = reinterpret_cast<cudaStream_t>(device().new_stream());
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return device().remove_stream(reinterpret_cast<simt::Stream*>(stream)) ? device().sticky()
                                                                         : report(cudaErrorInvalidResourceHandle);
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  simt::Stream* found = device().find(stream);
  ++device().waits;
  return found == nullptr ? report(cudaErrorInvalidResourceHandle) : device().synchronise(*found);
}
cudaError_t cudaDeviceSynchronize() { return device().synchronise_all(); }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  if (driver() != cudaSuccess) return driver();
  auto made = std::make_unique<Event>();
  made->mark->reached = true;  // an event that was never recorded holds nobody up
  *event = reinterpret_cast<cudaEvent_t>(made.release());
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete reinterpret_cast<Event*>(event);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  auto* recorded = reinterpret_cast<Event*>(event);
  auto mark = recorded->mark = std::make_shared<simt::Mark>();
  mark->stream = device().find(stream);
  return device().enqueue(stream, [mark, recorded] {
    mark->reached = true;
    if (recorded->mark == mark) recorded->time = std::chrono::steady_clock::now();
  });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  device().run_until(reinterpret_cast<Event*>(event)->mark);
  return device().sticky();
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const auto mark = reinterpret_cast<Event*>(event)->mark;
  return device().enqueue(stream, [mark] { device().run_until(mark); });
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  const auto *first = reinterpret_cast<Event*>(begin), *second = reinterpret_cast<Event*>(end);
  *milliseconds = std::chrono::duration<float, std::milli>(second->time - first->time).count();
  return device().sticky();
}

// ---- errors --------------------------------------------------------------------------------------------------

cudaError_t cudaGetLastError() { return device().take_last(); }
cudaError_t cudaPeekAtLastError() { return device().sticky(); }
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorInvalidResourceHandle: return "cudaErrorInvalidResourceHandle";
    default: return "another error";
  }
}
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    default: return cudaGetErrorName(error);
  }
}

}  // extern "C"
