#pragma once
#include "backend/tensor.h"
#include "backend/weight.h"

namespace kvmend {

/// The matrix as it is, row-major in the compute dtype: few rows stream it, many rows hand it to oneDNN.
class CpuWeight final : public Weight {
 public:
  Tensor values;  ///< [rows, cols]
};

}  // namespace kvmend
