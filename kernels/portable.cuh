#pragma once
// The one header that kernels include. nvcc compiles them for a GPU; a host compiler compiles the same files against
// the emulation in tests/simt, where each CUDA thread is a context on the host.
//
//   KVMEND_LAUNCH(kernel, grid, block, shared_bytes, stream, arguments…)   a cudaError_t
//   KVMEND_ALLOW_SHARED(kernel, bytes)       more than 48 KiB of dynamic shared memory; a cudaError_t
//   KVMEND_DYNAMIC_SHARED(T, name)           the launch's shared memory
//   KVMEND_SHARED(T, name, [n])              an array of fixed extent; T trivial
//   prim::                                   what is written in PTX, each with an emulated twin
#if defined(__CUDACC__)

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "prim_ptx.cuh"

#define KVMEND_DYNAMIC_SHARED(T, name)                             \
  extern __shared__ __align__(128) unsigned char kvmend_shared_[]; \
  T* const name = reinterpret_cast<T*>(kvmend_shared_)
#define KVMEND_SHARED(T, name, ...) __shared__ __align__(16) T name __VA_ARGS__
#define KVMEND_LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
  (kernel<<<grid, block, shared_bytes, stream>>>(__VA_ARGS__), cudaPeekAtLastError())
#define KVMEND_ALLOW_SHARED(kernel, bytes) \
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes))

#else

#include "simt.h"

#endif

namespace kvmend::gpu {

using bf16 = __nv_bfloat16;

inline constexpr unsigned kAllLanes = 0xffffffffU;

}  // namespace kvmend::gpu
