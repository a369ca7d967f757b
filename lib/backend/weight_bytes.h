#pragma once
#include "backend/tensor.h"
#include "backend/weight.h"

namespace kvmend {

/// What a model's weights take of a device's memory, in bytes; the embedding table is in the compute dtype either way.
struct WeightBytes {
  std::int64_t computed = 0;  ///< every matrix in the compute dtype
  std::int64_t stored = 0;    ///< as the file has them, and the largest in the compute dtype: what is multiplied with
};

inline WeightBytes weight_bytes(const WeightNeeds& needs, DType compute_dtype) {
  const auto element = static_cast<std::int64_t>(dtype_bytes(compute_dtype));
  const std::int64_t table = needs.table_elements * element;
  return {.computed = table + needs.elements * element,
          .stored = table + needs.stored_bytes + needs.largest_elements * element};
}

}  // namespace kvmend
