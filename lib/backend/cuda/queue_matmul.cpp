// Products by cuBLAS.
//
// Not by cuBLASLt: since CUDA 12 cublasGemmEx reaches the same kernels through the same heuristic. Lt would add an epilogue
// for the bias (only Qwen2's Q, K and V have one: a thousandth of a layer's bytes) and a choice of the algorithm. Decoding
// needs not a certain algorithm but always the same: the heuristic looks at shape, types, card, workspace and library
// version, and decode batches have one shape (decode_rows) and one workspace (Device::blas).
#include "backend/cuda/cuda_queue.h"
#include "backend/cuda/cuda_weight.h"
#include "core/error.h"

namespace kvmend::cuda {

/// cuBLAS is column-major: out [m, n] row-major is outᵀ [n, m] there, and outᵀ = W · xᵀ with W stored transposed.
void CudaQueue::product(const Tensor& out, const Tensor& x, const Tensor& weight, float beta) {
  const auto type = [](const Tensor& t) { return t.dtype() == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F; };
  const float one = 1;
  const auto n = static_cast<int>(out.cols()), m = static_cast<int>(out.rows()), k = static_cast<int>(x.cols());
  const auto leading = [](const Tensor& t) { return static_cast<int>(std::max(t.stride(), t.cols())); };
  check(cublasGemmEx(device_->blas(), CUBLAS_OP_T, CUBLAS_OP_N, n, m, k, &one, device_data(weight), type(weight),
                     leading(weight), device_data(x), type(x), leading(x), &beta, device_data(out), type(out),
                     leading(out), CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
        "matmul");
}

void CudaQueue::do_matmul(const Tensor& out, const Tensor& x, const Weight& weight, const MatmulOptions& options) {
  const auto* ours = dynamic_cast<const CudaWeight*>(&weight);
  require(ours != nullptr, "matmul: a weight prepared by another backend");
  Tensor values = ours->values;
  if (!values) {  // as the file stores it: into memory that the next product may have
    values = scratch(compute_dtype_, weight.rows, weight.cols);
    dequantise(*device_, *ours, values);
  }
  Tensor operand = x;
  if (rounds()) {
    operand = scratch(DType::bf16, x.rows(), x.cols());
    do_copy(operand, x);
  }
  const bool half_out = out.dtype() == DType::bf16;
  if (half_out && (options.bias || !rounds())) {  // the sum with the bias is rounded once
    const Tensor sum = scratch(DType::f32, out.rows(), out.cols());
    product(sum, operand, values, 0);
    if (options.bias)
      check(launch::add_rows(rows_of(out), rows_of(sum), rows_of(options.bias), stream()), "matmul's bias");
    else
      do_copy(out, sum);
    return;
  }
  product(out, operand, values, options.accumulate ? 1.0F : 0.0F);
  if (options.bias)
    check(launch::add_rows(rows_of(out), rows_of(out), rows_of(options.bias), stream()), "matmul's bias");
}

}  // namespace kvmend::cuda
