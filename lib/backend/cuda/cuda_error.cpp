#include "backend/cuda/cuda_error.h"

#include "backend/device_error.h"

namespace kvmend::cuda {

namespace {

/// Errors after which every call of this process fails: those that driver_types.h says so of, and a card that is gone.
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
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorDevicesUnavailable:
    case cudaErrorExternalDevice:
    case cudaErrorMpsClientTerminated:
    case cudaErrorContained:
    case cudaErrorTensorMemoryLeak:
    case cudaErrorUnknown:  // a card that fell off the bus
    case cudaErrorLaunchTimeout: return true;
    default: return false;
  }
}

}  // namespace

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // seen: a later check must not report it again
  const std::string message =
      fmt::format("cuda: {}: {} ({})", what, cudaGetErrorString(error), cudaGetErrorName(error));
  if (is_sticky(error)) throw DeviceLost(message + "; this process cannot use the device any more");
  if (error == cudaErrorMemoryAllocation) throw OutOfMemory(message);
  throw Error(ErrorKind::device, message);
}

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  check(cudaPeekAtLastError(), what);  // a kernel's fault comes up here as a failure of cuBLAS
  const std::string message = fmt::format("cuda: {}: cuBLAS: {}", what, cublasGetStatusString(status));
  if (status == CUBLAS_STATUS_ALLOC_FAILED) throw OutOfMemory(message);
  throw Error(ErrorKind::device, message);
}

}  // namespace kvmend::cuda
