// Launches of attention on tensor cores.
#include "attention_mma.cuh"
#include "backend/cuda/attention_arguments.h"

namespace kvmend::cuda::launch {

namespace {

template <int width, bool wide, bool async, class T>
cudaError_t run(const AttentionCall& call, std::span<const Keys> cells, const gpu::KeyList<T>* lists,
                const gpu::AttentionResult& result, cudaStream_t stream) {
  using Tile = gpu::MmaTile<width, wide>;
  constexpr auto& kernel = gpu::attention_mma<width, wide, async, T>;
  const cudaError_t allowed = KVMEND_ALLOW_SHARED(kernel, sizeof(Tile));
  if (allowed != cudaSuccess) return allowed;
  const gpu::AttentionShape shape = shape_of<T>(call, cells, 8, lists == nullptr ? 0 : kDecodePart);
  const int vectors = (lists == nullptr ? shape.rows : 1) * shape.group;
  const dim3 grid(tiles(vectors, Tile::kVectors), static_cast<unsigned>(shape.kv_heads),
                  static_cast<unsigned>(cells.size()) * static_cast<unsigned>(call.parts));
  return KVMEND_LAUNCH(kernel, grid, Tile::kThreads, sizeof(Tile), stream, queries(call), key_list<T>(cells.front()),
                       lists, shape, partials(call), result);
}

}  // namespace

cudaError_t attention_on_tensor_cores(const AttentionCall& call, std::span<const Keys> cells, const void* lists,
                                      const gpu::AttentionResult& result, cudaStream_t stream) {
  return for_stores(cells, call.head_dim, [&](auto async, auto element) {
    using T = decltype(element);
    return for_width(call.head_dim, [&](auto width) {
      constexpr int columns = decltype(width)::value;
      if constexpr (decltype(async)::value)
        if (lists == nullptr && takes_wide_tile(call, cells))
          return run<columns, true, true, T>(call, cells, nullptr, result, stream);
      return run<columns, false, decltype(async)::value, T>(call, cells, static_cast<const gpu::KeyList<T>*>(lists),
                                                            result, stream);
    });
  });
}

}  // namespace kvmend::cuda::launch
