// What the shared library offers to make_backend.
#include "backend/cuda/cuda_backend.h"
#include "backend/cuda_library.h"

extern "C" {

/// Must equal the loading program's: both see the same headers.
const char* kvmend_cuda_build() { return KVMEND_CUDA_BUILD; }

kvmend::Backend* kvmend_cuda_backend(const kvmend::BackendOptions* options, int ordinal) {
  return std::make_unique<kvmend::cuda::CudaBackend>(*options, ordinal).release();
}

}  // extern "C"
