#pragma once
// What the launches of kernels on rows share. Only .cu files include it.
#include <cstdint>

#include "backend/cuda/launch.h"

namespace kvmend::cuda::launch {

/// Rows may be read four elements at a time.
inline bool quads(const Rows& rows) {
  if (rows.data == nullptr) return true;
  const std::uintptr_t bytes = 4 * dtype_bytes(rows.dtype);
  return reinterpret_cast<std::uintptr_t>(rows.data) % bytes == 0 && rows.cols % 4 == 0 &&
         (rows.rows <= 1 || rows.stride % 4 == 0);
}
template <class... More>
bool quads(const Rows& first, const More&... more) {
  return quads(first) && quads(more...);
}

inline unsigned blocks_for(std::int64_t items, std::int64_t of_block) {
  return static_cast<unsigned>((items + of_block - 1) / of_block);
}

template <class T>
T* data(const Rows& rows) {
  return static_cast<T*>(rows.data);
}

}  // namespace kvmend::cuda::launch
