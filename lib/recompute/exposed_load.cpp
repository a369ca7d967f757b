#include "recompute/exposed_load.h"

#include <algorithm>
#include <vector>

namespace kvmend {

double exposed_load(std::span<const double> arrivals, double work, int ahead) {
  if (arrivals.empty()) return 0;
  const double a_layer = work / static_cast<double>(arrivals.size());
  std::vector<double> taken;
  double there = 0, done = 0;
  for (std::size_t l = 0; l < arrivals.size(); ++l) {
    const auto behind = static_cast<std::size_t>(ahead) + 1;
    there = std::max(there, l >= behind ? taken[l - behind] : 0) + arrivals[l];
    taken.push_back(std::max(done, there));
    done = taken.back() + a_layer;
  }
  return std::max(0.0, done - work);
}

}  // namespace kvmend
