// Launches of attention on tensor cores.
#include "attention_mma.cuh"
#include "backend/cuda/attention_arguments.h"

namespace kvmend::cuda::launch {

namespace {

template <int width, bool async, class T>
cudaError_t run(const AttentionCall& call, const Keys& keys, const gpu::AttentionShape& shape, cudaStream_t stream) {
  using Tile = gpu::MmaTile<width>;
  constexpr auto& kernel = gpu::attention_mma<width, async, T>;
  const cudaError_t allowed = KVMEND_ALLOW_SHARED(kernel, sizeof(Tile));
  if (allowed != cudaSuccess) return allowed;
  const int vectors = shape.rows * shape.group;
  const dim3 grid(static_cast<unsigned>((vectors + Tile::kVectors - 1) / Tile::kVectors),
                  static_cast<unsigned>(shape.kv_heads), static_cast<unsigned>(call.parts));
  return KVMEND_LAUNCH(kernel, grid, Tile::kThreads, sizeof(Tile), stream, queries(call), key_list<T>(keys), shape,
                       partials(call), result_of(call));
}

template <bool async, class T>
cudaError_t for_width(const AttentionCall& call, const Keys& keys, cudaStream_t stream) {
  const gpu::AttentionShape shape = shape_of<T>(call, {&keys, 1}, 8, 0);
  if (call.head_dim <= 32) return run<32, async, T>(call, keys, shape, stream);
  if (call.head_dim <= 64) return run<64, async, T>(call, keys, shape, stream);
  if (call.head_dim <= 128) return run<128, async, T>(call, keys, shape, stream);
  return run<256, async, T>(call, keys, shape, stream);
}

}  // namespace

cudaError_t attention_on_tensor_cores(const AttentionCall& call, const Keys& keys, cudaStream_t stream) {
  if (keys.base_k.dtype != DType::bf16) return for_width<false, float>(call, keys, stream);
  return aligned({&keys, 1}, call.head_dim, 8) ? for_width<true, gpu::bf16>(call, keys, stream)
                                               : for_width<false, gpu::bf16>(call, keys, stream);
}

}  // namespace kvmend::cuda::launch
