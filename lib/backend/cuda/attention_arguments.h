#pragma once
// From the launches' plain structures to the kernels'. Only .cu files include it.
#include <type_traits>

#include "attention.cuh"
#include "backend/cuda/launch.h"
#include "mma_tile.cuh"

namespace kvmend::cuda::launch {

template <class T>
gpu::KeyList<T> key_list(const Keys& keys) {
  const auto data = [](const Rows& rows) { return static_cast<const T*>(rows.data); };
  return {{data(keys.base_k), data(keys.base_v), data(keys.overlay_k), data(keys.overlay_v), keys.base_k.stride,
           keys.base_v.stride, keys.overlay_k.stride, keys.overlay_v.stride},
          keys.slots,
          static_cast<std::int32_t>(keys.n_keys),
          {keys.temper_begin, keys.temper_end, keys.temper_scale, keys.temper_shift}};
}

/// Every store may be read `elements` at a time, head by head.
inline bool aligned(std::span<const Keys> cells, int head_dim, std::size_t elements) {
  bool all = head_dim % static_cast<int>(elements) == 0;
  for (const Keys& keys : cells)
    for (const Rows* rows : {&keys.base_k, &keys.base_v, &keys.overlay_k, &keys.overlay_v}) {
      const std::size_t bytes = elements * dtype_bytes(rows->dtype);
      all = all && reinterpret_cast<std::uintptr_t>(rows->data) % bytes == 0 &&
            (rows->rows <= 1 || rows->stride % static_cast<std::int64_t>(elements) == 0);
    }
  return all;
}

template <class T>
gpu::AttentionShape shape_of(const AttentionCall& call, std::span<const Keys> cells, std::size_t elements,
                             int keys_of_part) {
  return {static_cast<int>(call.q.rows),
          call.kv_heads,
          call.heads / call.kv_heads,
          call.head_dim,
          call.scale,
          call.round,
          aligned(cells, call.head_dim, elements),
          keys_of_part};
}

inline gpu::QueryRows queries(const AttentionCall& call) {
  return {static_cast<const float*>(call.q.data), call.q.stride, call.intervals};
}

inline gpu::Partials partials(const AttentionCall& call) {
  return {call.parts > 1 ? call.partials : nullptr, call.parts};
}

inline gpu::AttentionResult result_of(const AttentionCall& call) {
  return {static_cast<float*>(call.out.data),
          call.out.stride,
          static_cast<float*>(call.lse.data),
          call.lse.stride,
          nullptr,
          nullptr};
}

/// run(async, an element's value) for the way that keys come to shared memory: asynchronously where they are aligned bf16.
template <class Run>
cudaError_t for_stores(std::span<const Keys> cells, int head_dim, const Run& run) {
  if (cells.front().base_k.dtype != DType::bf16) return run(std::false_type{}, float{});
  return aligned(cells, head_dim, 8) ? run(std::true_type{}, gpu::bf16{}) : run(std::false_type{}, gpu::bf16{});
}

/// run(width) for the narrowest kernel that holds head_dim.
template <class Run>
cudaError_t for_width(int head_dim, const Run& run) {
  if (head_dim <= 32) return run(std::integral_constant<int, 32>{});
  if (head_dim <= 64) return run(std::integral_constant<int, 64>{});
  if (head_dim <= 128) return run(std::integral_constant<int, 128>{});
  return run(std::integral_constant<int, 256>{});
}

inline unsigned tiles(int vectors, int of_tile) { return static_cast<unsigned>((vectors + of_tile - 1) / of_tile); }

/// Many vectors that share a list of keys take the wide tile of attention_mma: as soon as a second narrow one would be
/// needed. By mma_tile.cuh a wide tile is 128 / 64 times the work at 62 / 36 times the speed: it takes 16 % longer than one
/// narrow one, 42 % less than two, and reads each key once for both. Where keys are not copied asynchronously, that is what
/// a tile waits for.
inline bool takes_wide_tile(const AttentionCall& call, std::span<const Keys> cells) {
  const bool fits = call.head_dim <= 128 || call.shared_bytes >= sizeof(gpu::MmaTile<kMaxHeadDim, true>);
  return call.q.rows * (call.heads / call.kv_heads) > gpu::MmaTile<128, false>::kVectors && fits &&
         cells.front().base_k.dtype == DType::bf16 && aligned(cells, call.head_dim, 8);
}

/// The kernels for bf16 operands, in launch_mma.cu and launch_mass_mma.cu. `lists`: cells.size() key lists on the device, null
/// where all rows share the one of cells.front(). With result.tops no values are read.
cudaError_t attention_on_tensor_cores(const AttentionCall& call, std::span<const Keys> cells, const void* lists,
                                      const gpu::AttentionResult& result, cudaStream_t stream);
/// With the rows' tops and sums.
cudaError_t mass_on_tensor_cores(const AttentionCall& call, const Keys& keys, float head_weight,
                                 gpu::RowReduction reduction, const gpu::AttentionResult& stats, cudaStream_t stream);

}  // namespace kvmend::cuda::launch
