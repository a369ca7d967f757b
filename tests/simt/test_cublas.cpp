// The stand-in for cuBLAS: its products, its argument checks, its place in the stream.
#include <cublas_v2.h>

#include "catch.h"
#include "device.h"
#include "mutants/mutant.h"

using namespace mutants;
using kvmend::gpu::bf16;

namespace {

struct Handle {
  cublasHandle_t handle = nullptr;
  explicit Handle(cudaStream_t stream) {
    cublasCreate(&handle);
    cublasSetStream(handle, stream);
  }
  ~Handle() { cublasDestroy(handle); }
};

/// y [t, n] = x [t, k] · w [n, k]ᵀ, all row-major: what the backend asks for.
template <class T>
cublasStatus_t product(cublasHandle_t handle, float* y, const T* x, const T* w, int t, int n, int k, int ldw,
                       float beta = 0) {
  const float one = 1;
  const cudaDataType_t type = sizeof(T) == 4 ? CUDA_R_32F : CUDA_R_16BF;
  return cublasGemmEx(handle, CUBLAS_OP_T, CUBLAS_OP_N, n, t, k, &one, w, type, ldw, x, type, k, &beta, y, CUDA_R_32F,
                      n, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
}

}  // namespace

TEST_CASE("a product is row-major's when its operands are swapped, and waits for its stream") {
  const Stream stream;
  const Handle handle(stream);
  const int t = 3, n = 5, k = 7;
  const std::vector<float> x = random_values(t * k, 1), w = random_values(n * k, 2);
  std::vector<float> expected(t * n, 1.0F);
  for (int i = 0; i < t; ++i)
    for (int j = 0; j < n; ++j)
      for (int c = 0; c < k; ++c) expected[i * n + j] += x[i * k + c] * w[j * k + c];
  const Array<float> dx(x, stream), dw(w, stream), dy(std::vector<float>(t * n, 1.0F), stream);
  REQUIRE(product(handle.handle, dy.get(), dx.get(), dw.get(), t, n, k, k, 1) == CUBLAS_STATUS_SUCCESS);
  CHECK_FALSE(close(dy.download(false), expected, 1e-5F));
  CHECK(close(dy.download(), expected, 1e-5F));
}

TEST_CASE("arguments that cuBLAS refuses are refused") {
  const Stream stream;
  const Handle handle(stream);
  const Array<float> x(100, stream), w(100, stream), y(100, stream);
  CHECK(product(handle.handle, y.get(), x.get(), w.get(), 3, 5, 7, 6) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(product(handle.handle, y.get(), x.get(), w.get(), -1, 5, 7, 7) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(cublasSetMathMode(handle.handle, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION) == CUBLAS_STATUS_SUCCESS);
  CHECK(cublasSetMathMode(handle.handle, static_cast<cublasMath_t>(7)) == CUBLAS_STATUS_INVALID_VALUE);
  const float one = 1, zero = 0;
  CHECK(cublasGemmEx(handle.handle, CUBLAS_OP_T, CUBLAS_OP_N, 5, 3, 7, &one, w.get(), CUDA_R_16BF, 7, x.get(),
                     CUDA_R_32F, 7, &zero, y.get(), CUDA_R_32F, 5, CUBLAS_COMPUTE_32F,
                     CUBLAS_GEMM_DEFAULT) == CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST_CASE("an operand outside of device memory is a fault") {
  simt::Device& device = simt::Device::get();
  device.quiet = true;
  {
    const Stream stream;
    const Handle handle(stream);
    const Array<float> x(21, stream), w(34, stream), y(15, stream);  // w is one element short
    CHECK(product(handle.handle, y.get(), x.get(), w.get(), 3, 5, 7, 7) == CUBLAS_STATUS_SUCCESS);
    CHECK(cudaStreamSynchronize(stream) == cudaErrorIllegalAddress);
    CHECK(device.fault_text().find("A is outside") != std::string::npos);
  }
  device.reset();
  device.quiet = false;
}
