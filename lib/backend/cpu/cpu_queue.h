#pragma once
#include <vector>

#include "backend/cpu/workers.h"
#include "backend/reference/reference_queue.h"

namespace kvmend {

class CpuQueue final : public ReferenceQueue {
 public:
  CpuQueue(DType compute_dtype, Workers& workers)
      : ReferenceQueue(compute_dtype), compute_dtype_(compute_dtype), workers_(workers) {}

 protected:
  void do_matmul(const Tensor& out, const Tensor& x, const Weight& weight, const MatmulOptions& options) override;

 private:
  DType compute_dtype_;
  Workers& workers_;
};

}  // namespace kvmend
