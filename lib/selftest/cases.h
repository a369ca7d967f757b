#pragma once
#include <functional>
#include <string>
#include <vector>

#include "backend/tolerance.h"
#include "selftest/workbench.h"

namespace kvmend::selftest {

/// An operation with its operands on a device.
struct Prepared {
  std::function<void()> run;  ///< queues it once; where it is timed, again and again
  Tensor out;                 ///< what it writes
  bool whole = false;         ///< `out` is compared as one row: a column of statistics
};

/// Of a card's nearer limit, as the kernel is designed (docs/kernels.md); 0: it waits for memory's latency.
struct DesignShares {
  double f32 = 0.75, bf16 = 0.75;
  double bf16_mma = 0;  ///< where nothing is faster than `mma` (compute capability 8.x and 12.x); 0: as bf16

  /// `capability`: 80 for 8.0.
  double of(DType compute, int capability) const {
    if (compute != DType::bf16) return f32;
    const int major = capability / 10;
    return bf16_mma > 0 && (major == 8 || major == 12) ? bf16_mma : bf16;
  }
};

/// What a case is compared and timed for.
struct Case {
  std::string name;
  OpKind kind;
  std::function<Prepared(Workbench&)> prepare;
  bool timed = true;  ///< false: a variation that is only compared
  DesignShares design = {};
};

/// In the order they run. Every operation of Queue, and every kernel behind it.
std::vector<Case> row_cases();
std::vector<Case> layer_cases();
std::vector<Case> attention_cases();
std::vector<Case> weight_cases();

}  // namespace kvmend::selftest
