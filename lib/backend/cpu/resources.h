#pragma once
#include <vector>

#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/scratch.h"
#include "backend/cpu/workers.h"

namespace kvmend {

/// What the threads of one queue work with.
struct CpuResources {
  const Kernels& kernels;
  Workers& workers;
  std::vector<Scratch> of_thread;
  Scratch shared;

  CpuResources(const Kernels& k, Workers& w) : kernels(k), workers(w), of_thread(static_cast<std::size_t>(w.size())) {}
};

}  // namespace kvmend
