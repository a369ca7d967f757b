#pragma once
#include <cstdint>

namespace kvmend {

/// One KV head's rows in the base and the overlay, and the list that picks among them.
struct KeyRows {
  const void* base;
  const void* overlay;
  std::int64_t base_stride, overlay_stride;
  bool bf16;
};

}  // namespace kvmend
