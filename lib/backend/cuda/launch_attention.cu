// Launches of attention on CUDA cores, which float32 operands need, and the choice of the kernel.
#include <algorithm>
#include <cstring>

#include "attention_mass.cuh"
#include "attention_tile.cuh"
#include "backend/cuda/attention_arguments.h"
#include "backend/cuda/key_parts.h"
#include "backend/cuda/launch.h"

namespace kvmend::cuda::launch {

namespace {

using gpu::bf16;
using gpu::KeyList;

template <class T>
cudaError_t run_tile(const AttentionCall& call, const gpu::KeyList<T>& keys, const KeyList<T>* cells, int n_cells,
                     const gpu::AttentionShape& shape, const gpu::AttentionResult& result, cudaStream_t stream) {
  return for_width(call.head_dim, [&](auto width) {
    constexpr auto& kernel = gpu::attention_tile<width, T>;
    constexpr std::size_t shared = sizeof(gpu::AttentionTile<width>);
    const cudaError_t allowed = KVMEND_ALLOW_SHARED(kernel, shared);
    if (allowed != cudaSuccess) return allowed;
    const int vectors = (cells == nullptr ? shape.rows : 1) * shape.group;
    const dim3 grid(tiles(vectors, gpu::AttentionTile<width>::kVectors), static_cast<unsigned>(shape.kv_heads),
                    static_cast<unsigned>(n_cells * call.parts));
    return KVMEND_LAUNCH(kernel, grid, 128, shared, stream, queries(call), keys, cells, shape, partials(call), result);
  });
}

cudaError_t join(const AttentionCall& call, const gpu::AttentionShape& shape, const gpu::AttentionResult& result,
                 cudaStream_t stream) {
  if (call.parts == 1) return cudaSuccess;
  return KVMEND_LAUNCH(gpu::join_parts<0>, tiles(shape.rows * call.heads, 4), 128, 0, stream, partials(call), shape,
                       result);
}

/// With the rows' tops and sums.
template <class T>
cudaError_t mass_as(const AttentionCall& call, const Keys& keys, float head_weight, gpu::RowReduction reduction,
                    const gpu::AttentionResult& stats, cudaStream_t stream) {
  return for_width(call.head_dim, [&](auto width) {
    constexpr auto& kernel = gpu::attention_mass<width, T>;
    constexpr std::size_t shared = sizeof(gpu::AttentionTile<width>);
    const cudaError_t allowed = KVMEND_ALLOW_SHARED(kernel, shared);
    if (allowed != cudaSuccess) return allowed;
    return KVMEND_LAUNCH(kernel, tiles(static_cast<int>(keys.n_keys), 32), 128, shared, stream, queries(call),
                         key_list<T>(keys), shape_of<T>(call, {&keys, 1}, 4, 0), static_cast<const float*>(stats.tops),
                         static_cast<const float*>(stats.sums), head_weight, reduction,
                         static_cast<float*>(call.out.data), call.out.stride);
  });
}

/// Attention of all rows over one key list, or of each over its own; then the parts are joined.
cudaError_t attend(const AttentionCall& call, std::span<const Keys> cells, const void* lists,
                   const gpu::AttentionResult& result, cudaStream_t stream) {
  cudaError_t error = cudaSuccess;
  const auto tile = [&](auto element) {
    using T = decltype(element);
    const auto* of_cells = static_cast<const KeyList<T>*>(lists);
    return run_tile<T>(call, of_cells == nullptr ? key_list<T>(cells.front()) : KeyList<T>{}, of_cells,
                       static_cast<int>(cells.size()),
                       shape_of<T>(call, cells, 4, of_cells == nullptr ? 0 : kDecodePart), result, stream);
  };
  if (call.round)
    error = attention_on_tensor_cores(call, cells, lists, result, stream);
  else
    error = cells.front().base_k.dtype == DType::bf16 ? tile(bf16{}) : tile(float{});
  return error != cudaSuccess ? error : join(call, shape_of<float>(call, cells, 4, 0), result, stream);
}

template <class T>
void write_lists(std::span<const Keys> cells, std::byte* to) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const KeyList<T> list = key_list<T>(cells[i]);
    std::memcpy(to + i * sizeof list, &list, sizeof list);
  }
}

}  // namespace

int attention_parts(const AttentionCall& call, const Keys& keys, std::int64_t max_keys) {
  const int vectors = static_cast<int>(call.q.rows) * (call.heads / call.kv_heads);
  const auto parts_with = [&](int of_tile, int blocks_of_multiprocessor) {
    return key_parts(std::int64_t{tiles(vectors, of_tile)} * call.kv_heads,
                     std::int64_t{blocks_of_multiprocessor} * call.multiprocessors, max_keys,
                     std::min(vectors, of_tile));
  };
  const auto parts = [&](auto tile) { return parts_with(decltype(tile)::kVectors, decltype(tile)::kBlocks); };
  if (!call.round) return call.head_dim <= 128 ? parts(gpu::AttentionTile<128>{}) : parts(gpu::AttentionTile<256>{});
  if (!takes_wide_tile(call, {&keys, 1})) return parts(gpu::MmaTile<128, false>{});
  return call.head_dim <= 128 ? parts(gpu::MmaTile<128, true>{}) : parts(gpu::MmaTile<256, true>{});
}

std::size_t partial_floats(const AttentionCall& call) {
  return static_cast<std::size_t>(call.parts) * static_cast<std::size_t>(call.q.rows * call.heads) *
         static_cast<std::size_t>(call.head_dim + 2);
}

cudaError_t attention(const AttentionCall& call, const Keys& keys, cudaStream_t stream) {
  return attend(call, {&keys, 1}, nullptr, result_of(call), stream);
}

std::size_t cell_bytes() {
  static_assert(sizeof(KeyList<float>) == sizeof(KeyList<bf16>));
  return sizeof(KeyList<float>);
}

cudaError_t decode_attention(const AttentionCall& call, std::span<const Keys> cells, std::byte* staged, void* on_device,
                             cudaStream_t stream) {
  if (cells.front().base_k.dtype == DType::bf16)
    write_lists<bf16>(cells, staged);
  else
    write_lists<float>(cells, staged);
  const cudaError_t error =
      cudaMemcpyAsync(on_device, staged, cells.size() * cell_bytes(), cudaMemcpyHostToDevice, stream);
  return error != cudaSuccess ? error : attend(call, cells, on_device, result_of(call), stream);
}

cudaError_t attention_mass(const AttentionCall& call, const Keys& keys, float head_weight, int row_reduction,
                           float* stats, cudaStream_t stream) {
  gpu::AttentionResult result{};
  result.tops = stats;
  result.sums = stats + call.q.rows * call.heads;
  if (call.q.rows > 0) {
    const cudaError_t error = attend(call, {&keys, 1}, nullptr, result, stream);
    if (error != cudaSuccess) return error;
  }
  static_assert(static_cast<int>(gpu::RowReduction::sum) == 0 && static_cast<int>(gpu::RowReduction::max) == 1 &&
                static_cast<int>(gpu::RowReduction::l2) == 2);
  const auto reduction = static_cast<gpu::RowReduction>(row_reduction);
  if (call.round) return mass_on_tensor_cores(call, keys, head_weight, reduction, result, stream);
  return keys.base_k.dtype == DType::bf16 ? mass_as<bf16>(call, keys, head_weight, reduction, result, stream)
                                          : mass_as<float>(call, keys, head_weight, reduction, result, stream);
}

}  // namespace kvmend::cuda::launch
