#pragma once
#include <memory>
#include <vector>

#include "backend/cuda/device.h"
#include "backend/tensor.h"
#include "backend/weight.h"

namespace kvmend::cuda {

/// A matrix on the card: row-major in the compute dtype, or as the file stores it.
class CudaWeight final : public Weight {
 public:
  /// Stored rows back to back, of one of the matrices that are stacked.
  struct Part {
    std::int64_t rows = 0;
    StoredType type = StoredType::f32;
    std::shared_ptr<DeviceBuffer> blocks;
  };
  Tensor values;  ///< [rows, cols], or empty
  std::vector<Part> parts;
};

/// to [rows, cols] = all parts dequantised, queued on the device's stream.
void dequantise(Device& device, const CudaWeight& weight, const Tensor& to);

}  // namespace kvmend::cuda
