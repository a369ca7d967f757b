#pragma once
#include <numeric>

#include "recompute/pass.h"

namespace kvmend {

/// A pass over rows [begin, end) of a sequence, with nothing reused: what else it does is set in what this gives.
inline PassSpec pass_over(const Sequence& sequence, int begin, int end) {
  PassSpec spec;
  spec.sequence = &sequence;
  spec.active.resize(static_cast<std::size_t>(end - begin));
  std::iota(spec.active.begin(), spec.active.end(), begin);
  return spec;
}

/// Over all of its rows.
inline PassSpec pass_over(const Sequence& sequence) { return pass_over(sequence, 0, sequence.size()); }

}  // namespace kvmend
