#pragma once
#include <vector>

#include "backend/tensor.h"
#include "backend/weight.h"

namespace kvmend::cuda {

/// A matrix on the card: row-major in the compute dtype.
class CudaWeight final : public Weight {
 public:
  Tensor values;  ///< [rows, cols]
};

}  // namespace kvmend::cuda
