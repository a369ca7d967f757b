#pragma once
#include <cublas_v2.h>
#include <cuda_runtime_api.h>

namespace kvmend::cuda {

/// Throws Error(device) with what was being done and the runtime's words: DeviceLost after a fault of a kernel,
/// OutOfMemory where memory is what is missing.
void check(cudaError_t error, const char* what);
void check(cublasStatus_t status, const char* what);

}  // namespace kvmend::cuda
