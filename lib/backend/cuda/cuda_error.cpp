#include "backend/cuda/cuda_error.h"

#include "core/error.h"

namespace kvmend::cuda {

namespace {

/// Errors after which every call of this process fails.
bool is_sticky(cudaError_t error) {
  switch (error) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorECCUncorrectable:
    case cudaErrorLaunchTimeout: return true;
    default: return false;
  }
}

}  // namespace

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // seen: a later check must not report it again
  fail(ErrorKind::device, "cuda: {}: {} ({}){}", what, cudaGetErrorString(error), cudaGetErrorName(error),
       is_sticky(error) ? "; this process cannot use the device any more" : "");
}

void check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail(ErrorKind::device, "cuda: {}: cuBLAS: {}", what, cublasGetStatusString(status));
}

}  // namespace kvmend::cuda
