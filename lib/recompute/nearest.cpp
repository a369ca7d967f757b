#include "recompute/nearest.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace kvmend {
namespace {

using Counts = std::map<std::int32_t, double>;

Counts counts_of(const Request& request, const Unit& unit) {
  Counts out;
  for (int i = unit.begin; i < unit.end; ++i) out[request.context_ids[static_cast<std::size_t>(i)]] += 1;
  return out;
}

double cosine(const Counts& a, const Counts& b) {
  double dot = 0, aa = 0, bb = 0;
  for (const auto& [id, n] : a) {
    aa += n * n;
    if (const auto found = b.find(id); found != b.end()) dot += n * found->second;
  }
  for (const auto& [id, n] : b) bb += n * n;
  return dot / std::sqrt(aa * bb);
}

}  // namespace

std::vector<int> nearest_chunks(const Request& request, int unit, int count) {
  if (count == 0) return {};
  const Counts own = counts_of(request, request.units[static_cast<std::size_t>(unit)]);
  std::vector<std::pair<double, int>> likeness;
  for (std::size_t u = 0; u < request.units.size(); ++u) {
    if (static_cast<int>(u) == unit || request.units[u].kind == UnitKind::prefix) continue;
    likeness.emplace_back(-cosine(own, counts_of(request, request.units[u])), static_cast<int>(u));
  }
  std::sort(likeness.begin(), likeness.end());
  likeness.resize(std::min<std::size_t>(likeness.size(), static_cast<std::size_t>(count)));
  std::vector<int> out;
  for (const auto& [minus, u] : likeness) out.push_back(u);
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace kvmend
