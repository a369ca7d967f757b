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
