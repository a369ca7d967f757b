// cuBLAS for the emulated device, behind NVIDIA's own header: the products our backend asks for, on the CPU, in the
// stream's order, with the argument checks of the real one and checks that the memory is there.
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <Eigen/Core>
#include <algorithm>
#include <cstring>

#include "device.h"

struct cublasContext {
  cudaStream_t stream = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
};

namespace {

using simt::Device;
using Matrix = Eigen::MatrixXf;  // column-major, as cuBLAS

std::size_t size_of(cudaDataType_t type) { return type == CUDA_R_32F ? 4 : type == CUDA_R_16BF ? 2 : 0; }

float get(const void* p, cudaDataType_t type, std::int64_t i) {
  return type == CUDA_R_32F ? static_cast<const float*>(p)[i]
                            : __bfloat162float(static_cast<const __nv_bfloat16*>(p)[i]);
}

void put(void* p, cudaDataType_t type, std::int64_t i, float value) {
  if (type == CUDA_R_32F)
    static_cast<float*>(p)[i] = value;
  else
    static_cast<__nv_bfloat16*>(p)[i] = __float2bfloat16(value);
}

/// A matrix as it lies in device memory.
struct Stored {
  void* data;
  cudaDataType_t type;
  std::int64_t rows, columns, leading;

  bool present(const char* what) const {
    if (rows == 0 || columns == 0) return true;
    const std::size_t bytes = static_cast<std::size_t>((columns - 1) * leading + rows) * size_of(type);
    if (Device::get().memory.covers(data, bytes, simt::Memory::Kind::device)) return true;
    Device::get().fault(std::string("cublasGemmEx: ") + what + " is outside of any allocation",
                        cudaErrorIllegalAddress);
    return false;
  }
  Matrix read() const {
    Matrix values(rows, columns);
    for (std::int64_t c = 0; c < columns; ++c)
      for (std::int64_t r = 0; r < rows; ++r) values(r, c) = get(data, type, c * leading + r);
    return values;
  }
};

struct Product {
  Stored a, b, c;
  bool transpose_a, transpose_b;
  float alpha, beta;

  void run() const {
    if (!a.present("A") || !b.present("B") || !c.present("C")) return;
    const Matrix left = transpose_a ? Matrix(a.read().transpose()) : a.read();
    const Matrix right = transpose_b ? Matrix(b.read().transpose()) : b.read();
    Matrix result = left * right * alpha;
    if (beta != 0) result += c.read() * beta;
    for (std::int64_t column = 0; column < c.columns; ++column)
      for (std::int64_t row = 0; row < c.rows; ++row)
        put(c.data, c.type, column * c.leading + row, result(row, column));
  }
};

}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  *handle = new cublasContext;
  return Device::get().sticky() == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  handle->workspace = nullptr;  // as documented: setting the stream resets the workspace
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, std::size_t bytes) {
  if (reinterpret_cast<std::uintptr_t>(workspace) % 256 != 0) return CUBLAS_STATUS_INVALID_VALUE;
  handle->workspace = workspace;
  handle->workspace_bytes = bytes;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  const int flags = CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION, known = CUBLAS_TF32_TENSOR_OP_MATH;
  if ((mode & ~flags) > known) return CUBLAS_STATUS_INVALID_VALUE;
  handle->math = mode;
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "not initialised";
    case CUBLAS_STATUS_INVALID_VALUE: return "invalid value";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "not supported";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "execution failed";
    default: return "another status";
  }
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                            const void* alpha, const void* a, cudaDataType_t a_type, int lda, const void* b,
                            cudaDataType_t b_type, int ldb, const void* beta, void* c, cudaDataType_t c_type, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t) {
  const bool transpose_a = op_a != CUBLAS_OP_N, transpose_b = op_b != CUBLAS_OP_N;
  if (m < 0 || n < 0 || k < 0 || lda < std::max(1, transpose_a ? k : m) || ldb < std::max(1, transpose_b ? n : k) ||
      ldc < std::max(1, m))
    return CUBLAS_STATUS_INVALID_VALUE;
  // The part of the documented table of types that we use.
  const bool supported = compute == CUBLAS_COMPUTE_32F && a_type == b_type && size_of(a_type) != 0 &&
                         (c_type == CUDA_R_32F || (c_type == CUDA_R_16BF && a_type == CUDA_R_16BF));
  if (!supported) return CUBLAS_STATUS_NOT_SUPPORTED;
  const auto aligned = [](const void* p, cudaDataType_t type) {
    return reinterpret_cast<std::uintptr_t>(p) % size_of(type) == 0;
  };
  if (!aligned(a, a_type) || !aligned(b, b_type) || !aligned(c, c_type)) return CUBLAS_STATUS_INVALID_VALUE;
  if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;
  const Product product{{const_cast<void*>(a), a_type, transpose_a ? k : m, transpose_a ? m : k, lda},
                        {const_cast<void*>(b), b_type, transpose_b ? n : k, transpose_b ? k : n, ldb},
                        {c, c_type, m, n, ldc},
                        transpose_a,
                        transpose_b,
                        *static_cast<const float*>(alpha),  // host pointer mode: read at the call
                        *static_cast<const float*>(beta)};
  return Device::get().enqueue(handle->stream, [product] { product.run(); }) == cudaSuccess
             ? CUBLAS_STATUS_SUCCESS
             : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
