#pragma once
// What kernels/portable.cuh includes where the host compiler stands in for nvcc.
#include <tuple>

#include "device_functions.h"
#include "launch.h"
#include "tensor_core.h"

#undef __shared__
#undef __constant__
#undef __launch_bounds__
#define __launch_bounds__(...)

/// A block's shared memory: `T name extent` with the launch's bytes, or an array of a fixed extent.
#define KVMEND_DYNAMIC_SHARED(T, name) T* const name = reinterpret_cast<T*>(::simt::current->block->dynamic_shared)
#define KVMEND_SHARED(T, name, ...)                             \
  auto& name = *reinterpret_cast<T(*) __VA_ARGS__>([] {         \
    static const char key_ = 0;                                 \
    return ::simt::static_shared(&key_, sizeof(T __VA_ARGS__)); \
  }())
/// Queues kernel(arguments…) on a stream; a cudaError_t.
#define KVMEND_LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
  ::simt::launch(#kernel, &kernel, grid, block, shared_bytes, stream, __VA_ARGS__)
/// Lets a kernel ask for more than 48 KiB of dynamic shared memory; a cudaError_t.
#define KVMEND_ALLOW_SHARED(kernel, bytes) ::simt::allow_shared(reinterpret_cast<const void*>(&kernel), bytes)
