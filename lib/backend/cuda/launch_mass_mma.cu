// Launches of attention mass on tensor cores.
#include "attention_mass_mma.cuh"
#include "backend/cuda/attention_arguments.h"

namespace kvmend::cuda::launch {

namespace {

template <int width, bool async, class T>
cudaError_t run(const AttentionCall& call, const Keys& keys, float head_weight, gpu::RowReduction reduction,
                const gpu::AttentionResult& stats, cudaStream_t stream) {
  using Tile = gpu::MassTile<width>;
  constexpr auto& kernel = gpu::attention_mass_mma<width, async, T>;
  const cudaError_t allowed = KVMEND_ALLOW_SHARED(kernel, sizeof(Tile));
  if (allowed != cudaSuccess) return allowed;
  return KVMEND_LAUNCH(kernel, tiles(static_cast<int>(keys.n_keys), Tile::kKeys), Tile::kThreads, sizeof(Tile), stream,
                       queries(call), key_list<T>(keys), shape_of<T>(call, {&keys, 1}, 8, 0),
                       static_cast<const float*>(stats.tops), static_cast<const float*>(stats.sums), head_weight,
                       reduction, static_cast<float*>(call.out.data), call.out.stride);
}

}  // namespace

cudaError_t mass_on_tensor_cores(const AttentionCall& call, const Keys& keys, float head_weight,
                                 gpu::RowReduction reduction, const gpu::AttentionResult& stats, cudaStream_t stream) {
  return for_stores({&keys, 1}, call.head_dim, [&](auto async, auto element) {
    using T = decltype(element);
    return for_width(call.head_dim, [&](auto width) {
      return run<decltype(width)::value, decltype(async)::value, T>(call, keys, head_weight, reduction, stats, stream);
    });
  });
}

}  // namespace kvmend::cuda::launch
