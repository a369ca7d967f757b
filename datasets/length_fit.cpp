#include "datasets/length_fit.h"

#include <algorithm>

#include "core/error.h"

namespace kvmend {

LengthFit::LengthFit(LengthSpec spec) : spec_(std::move(spec)) {
  check_smallest();
  units_ = find_units();
}

int LengthFit::tokens(int index, int units) const {
  return spec_.prompt_tokens(spec_.build(index, units)) + spec_.new_tokens;
}

void LengthFit::too_short(int needed) const {
  fail(ErrorKind::usage, "{}: length {} is too short; the smallest that fits is {} tokens ({} of them for the answer)",
       spec_.task, spec_.length, needed, spec_.new_tokens);
}

void LengthFit::check_smallest() const {
  // Keys differ by a few tokens between samples. Far above the floor, sample 0 speaks for all of them.
  constexpr int slack = 64;
  int needed = tokens(0, spec_.smallest);
  if (needed + slack <= spec_.length) return;
  for (int i = 1; i < spec_.samples; ++i) needed = std::max(needed, tokens(i, spec_.smallest));
  if (needed > spec_.length) too_short(needed);
}

/// Interpolation search on tokens(units), which is nearly linear: a few counts of a long prompt instead of seventeen.
int LengthFit::find_units() const {
  const auto grown = [&](int units, double by) {
    return by < spec_.largest - units ? units + static_cast<int>(by) : spec_.largest;
  };
  int low = spec_.smallest, low_tokens = tokens(0, low);
  int high = grown(low, 8), high_tokens = tokens(0, high);
  while (high_tokens <= spec_.length) {
    if (high == spec_.largest) return high;
    const double slope = std::max(0.01, static_cast<double>(high_tokens - low_tokens) / (high - low));
    low = high;
    low_tokens = high_tokens;
    high = grown(high, std::max(8.0, (spec_.length - high_tokens) / slope * 1.02 + 1));
    high_tokens = tokens(0, high);
  }
  for (bool halve = false; high - low > 1; halve = !halve) {
    const double share = static_cast<double>(spec_.length - low_tokens) / std::max(1, high_tokens - low_tokens);
    const double guess = halve ? 0.5 : share;
    const int middle = std::clamp(low + static_cast<int>(guess * (high - low)), low + 1, high - 1);
    const int count = tokens(0, middle);
    (count <= spec_.length ? low : high) = middle;
    (count <= spec_.length ? low_tokens : high_tokens) = count;
  }
  return low;
}

TaskSample LengthFit::sample(int index) const {
  for (int units = units_;;) {
    TaskSample sample = spec_.build(index, units);
    const int excess = spec_.prompt_tokens(sample) + spec_.new_tokens - spec_.length;
    if (excess <= 0) return sample;
    if (units == spec_.smallest) too_short(spec_.length + excess);
    // At least one unit fewer every time, so this ends; a unit has at least one token, so it cuts little too much.
    const int per_unit = std::max(1, (spec_.length - spec_.new_tokens) / std::max(1, units));
    units = std::max(spec_.smallest, units - std::max(1, excess / per_unit));
  }
}

}  // namespace kvmend
