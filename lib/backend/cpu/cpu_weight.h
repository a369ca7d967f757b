#pragma once
#include "backend/cpu/kernels/kernels.h"
#include "backend/tensor.h"
#include "backend/weight.h"

namespace kvmend {

/// The matrix packed for our own products, or as it is, row-major in the compute dtype: few rows then stream it, many
/// rows hand it to oneDNN.
class CpuWeight final : public Weight {
 public:
  Tensor packed;  ///< f32 [panels, words of a panel]: kernels/packed_matmul.h; or empty
  Tensor values;  ///< [rows, cols], where it is not packed
};

/// How weights of this compute dtype are packed; the kernels must have it.
inline const PackedProducts& packed_products(const Kernels& kernels, DType dtype) {
  return dtype == DType::bf16 ? *kernels.packed_pairs : kernels.packed_floats;
}

}  // namespace kvmend
