// Launches of the kernels that mix two results.
#include "backend/cuda/launch.h"
#include "backend/cuda/row_arguments.h"
#include "blend.cuh"

namespace kvmend::cuda::launch {

cudaError_t join_attention(const Rows& out, const Rows& a, const Rows& lse_a, const Rows& b, const Rows& lse_b,
                           float scale, cudaStream_t stream) {
  const auto heads = static_cast<int>(lse_a.cols), head_dim = static_cast<int>(out.cols / lse_a.cols);
  const gpu::JoinArgs args{data<float>(out),
                           out.stride,
                           data<const float>(a),
                           data<const float>(lse_a),
                           data<const float>(b),
                           data<const float>(lse_b),
                           a.stride,
                           lse_a.stride,
                           b.stride,
                           lse_b.stride,
                           out.rows,
                           heads,
                           head_dim,
                           scale,
                           quads(out, a, b) && head_dim % 4 == 0};
  return KVMEND_LAUNCH(gpu::join_attention<0>, blocks_for(out.rows * heads, 8), 256, 0, stream, args);
}

namespace {

template <class T>
cudaError_t blend_as(const Rows& to, const Rows& old, cudaStream_t stream) {
  return KVMEND_LAUNCH(gpu::blend_rows<T>, blocks_for(to.rows, 8), 256, 0, stream, data<T>(to), to.stride,
                       data<const T>(old), old.stride, to.rows, static_cast<int>(to.cols), quads(to, old));
}

}  // namespace

cudaError_t blend_rows(const Rows& to, const Rows& old, cudaStream_t stream) {
  return to.dtype == DType::bf16 ? blend_as<gpu::bf16>(to, old, stream) : blend_as<float>(to, old, stream);
}

}  // namespace kvmend::cuda::launch
