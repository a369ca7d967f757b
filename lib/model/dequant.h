#pragma once
#include <cstddef>
#include <cstdint>

#include "backend/weight.h"

namespace kvmend {

/// Elements that share one block of a stored type, and the bytes of that block. Plain types have blocks of one.
struct BlockLayout {
  std::int64_t elements = 1;
  std::int64_t bytes = 0;
};
BlockLayout block_layout(StoredType type);

/// out[count] = the values of count / block elements back-to-back blocks; `count` is a whole number of blocks.
/// The arithmetic (float32, this order, no contraction) is that of ggml's published block formats, so results are
/// the same bits as the `gguf` Python package's. `blocks` needs no alignment.
void dequantise(StoredType type, const std::byte* blocks, std::int64_t count, float* out);

/// IEEE binary16 to binary32, exact; denormals, infinities and NaN included.
float half_to_float(std::uint16_t half);

}  // namespace kvmend
