// Launches of attention on CUDA cores: float32 prefill, decoding, attention mass; and the choice of the kernel.
#include <algorithm>
#include <cstring>

#include "attention_mass.cuh"
#include "attention_tile.cuh"
#include "backend/cuda/attention_arguments.h"
#include "backend/cuda/launch.h"

namespace kvmend::cuda::launch {

namespace {

using gpu::bf16;
using gpu::KeyList;

unsigned tiles(int vectors, int of_tile) { return static_cast<unsigned>((vectors + of_tile - 1) / of_tile); }

/// run(width constant) for the narrowest kernel that holds head_dim.
template <class Run>
cudaError_t for_width(int head_dim, const Run& run) {
  if (head_dim <= 32) return run(std::integral_constant<int, 32>{});
  if (head_dim <= 64) return run(std::integral_constant<int, 64>{});
  if (head_dim <= 128) return run(std::integral_constant<int, 128>{});
  return run(std::integral_constant<int, 256>{});
}

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

template <class T>
cudaError_t mass_as(const AttentionCall& call, const Keys& keys, float head_weight, int row_reduction, float* stats,
                    cudaStream_t stream) {
  const gpu::AttentionShape shape = shape_of<T>(call, {&keys, 1}, 4, 0);
  gpu::AttentionResult result{};
  result.tops = stats;
  result.sums = stats + static_cast<std::int64_t>(shape.rows) * call.heads;
  const KeyList<T> list = key_list<T>(keys);
  if (shape.rows > 0) {
    AttentionCall whole = call;
    whole.parts = 1;
    const cudaError_t error = run_tile<T>(whole, list, nullptr, 1, shape, result, stream);
    if (error != cudaSuccess) return error;
  }
  return for_width(call.head_dim, [&](auto width) {
    constexpr auto& kernel = gpu::attention_mass<width, T>;
    constexpr std::size_t shared = sizeof(gpu::AttentionTile<width>);
    const cudaError_t allowed = KVMEND_ALLOW_SHARED(kernel, shared);
    if (allowed != cudaSuccess) return allowed;
    return KVMEND_LAUNCH(kernel, tiles(static_cast<int>(keys.n_keys), 32), 128, shared, stream, queries(call), list,
                         shape, static_cast<const float*>(result.tops), static_cast<const float*>(result.sums),
                         head_weight, static_cast<gpu::RowReduction>(row_reduction), static_cast<float*>(call.out.data),
                         call.out.stride);
  });
}

template <class T>
cudaError_t decode_as(const AttentionCall& call, std::span<const Keys> cells, std::byte* staged, void* on_device,
                      cudaStream_t stream) {
  const gpu::AttentionShape shape = shape_of<T>(call, cells, 4, kDecodePart);
  const std::size_t bytes = cells.size() * sizeof(KeyList<T>);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const KeyList<T> list = key_list<T>(cells[i]);
    std::memcpy(staged + i * sizeof list, &list, sizeof list);
  }
  cudaError_t error = cudaMemcpyAsync(on_device, staged, bytes, cudaMemcpyHostToDevice, stream);
  if (error != cudaSuccess) return error;
  error = run_tile<T>(call, {}, static_cast<const KeyList<T>*>(on_device), static_cast<int>(cells.size()), shape,
                      result_of(call), stream);
  return error != cudaSuccess ? error : join(call, shape, result_of(call), stream);
}

}  // namespace

int attention_parts(const AttentionCall& call, std::int64_t max_keys, int multiprocessors) {
  constexpr int keys_of_part = 512, blocks_of_multiprocessor = 2, most_parts = 32;
  const std::int64_t blocks =
      static_cast<std::int64_t>(tiles(static_cast<int>(call.q.rows) * (call.heads / call.kv_heads), 64)) *
      call.kv_heads;
  const std::int64_t wanted =
      std::int64_t{blocks_of_multiprocessor} * multiprocessors / std::max<std::int64_t>(1, blocks);
  return static_cast<int>(std::clamp<std::int64_t>(std::min(wanted, max_keys / keys_of_part), 1, most_parts));
}

std::size_t partial_floats(const AttentionCall& call) {
  return static_cast<std::size_t>(call.parts) * static_cast<std::size_t>(call.q.rows * call.heads) *
         static_cast<std::size_t>(call.head_dim + 2);
}

cudaError_t attention(const AttentionCall& call, const Keys& keys, cudaStream_t stream) {
  const bool half = keys.base_k.dtype == DType::bf16;
  gpu::AttentionShape shape = half ? shape_of<bf16>(call, {&keys, 1}, 4, 0) : shape_of<float>(call, {&keys, 1}, 4, 0);
  cudaError_t error = cudaSuccess;
  if (call.round)
    error = attention_on_tensor_cores(call, keys, stream);
  else if (half)
    error = run_tile<bf16>(call, key_list<bf16>(keys), nullptr, 1, shape, result_of(call), stream);
  else
    error = run_tile<float>(call, key_list<float>(keys), nullptr, 1, shape, result_of(call), stream);
  return error != cudaSuccess ? error : join(call, shape, result_of(call), stream);
}

std::size_t cell_bytes() { return sizeof(KeyList<float>); }

cudaError_t decode_attention(const AttentionCall& call, std::span<const Keys> cells, std::byte* staged, void* on_device,
                             cudaStream_t stream) {
  const bool half = cells.front().base_k.dtype == DType::bf16;
  return half ? decode_as<bf16>(call, cells, staged, on_device, stream)
              : decode_as<float>(call, cells, staged, on_device, stream);
}

cudaError_t attention_mass(const AttentionCall& call, const Keys& keys, float head_weight, int row_reduction,
                           float* stats, cudaStream_t stream) {
  return keys.base_k.dtype == DType::bf16 ? mass_as<bf16>(call, keys, head_weight, row_reduction, stats, stream)
                                          : mass_as<float>(call, keys, head_weight, row_reduction, stats, stream);
}

}  // namespace kvmend::cuda::launch
