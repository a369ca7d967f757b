#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"

namespace kvmend::selftest {

/// What was found about one operation in one compute type.
struct Finding {
  std::string name;
  DType dtype = DType::f32;
  double error = 0;  ///< of the row's largest element, the worst row (backend/tolerance.h)
  double tolerance = 0;
  std::string_view reason;  ///< why the tolerance is not less
  std::string trouble;      ///< what was thrown: the operation did not run at all
  bool agrees = false;

  // Of the large case, where it was timed; else 0.
  double seconds = 0;  ///< a call, the best of three bursts of calls
  double flops = 0, bytes = 0;
  double share = 0;  ///< of the device's peak: the time that FLOPs or bytes take at least, over the time taken
  bool compute_bound = false;  ///< the nearer limit is arithmetic, not memory
  double design_share = 0;     ///< what a card's kernel is designed for (model, not measured); 0: no claim
  std::string untimed;         ///< why there are no seconds
};

struct Options {
  bool timed = true;
  double seconds_of_case = 0.1;  ///< a burst of calls
  std::string only;              ///< cases with this in their names; empty: all
};

/// Runs every operation of `device` beside the reference's, then times it; `found` is called after each. Ends early
/// when an operation throws: its device may be lost. `peak` of zeros is not known: nothing is timed.
void run(Backend& device, const Peak& peak, const Options& options, const std::function<void(const Finding&)>& found);

/// The names of all cases.
std::vector<std::string> case_names();

}  // namespace kvmend::selftest
