// The kernels with sixteen lanes in whatever arithmetic the compiler has: AVX-512's tiles on any processor, and
// products of bf16 pairs without the instruction.
#define KVMEND_LEVEL wide
#define KVMEND_LEVEL_NAME "wide"
#define KVMEND_LANES 16
#define KVMEND_PAIRS
#include "backend/cpu/kernels/level.h"

#include "device.h"

namespace kvmend::test {

std::vector<const Kernels*> tested_kernels() {
  const auto available = available_kernels();
  std::vector<const Kernels*> tested(available.begin(), available.end());
  tested.push_back(&wide::kernels);
  return tested;
}

}  // namespace kvmend::test
