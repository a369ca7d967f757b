#include "recompute/arrange.h"

#include <algorithm>

#include "core/error.h"

namespace kvmend {

std::vector<int> original_indices(std::span<const Unit> all, std::span<const int> units) {
  std::vector<int> out;
  for (const int u : units) {
    require(u >= 0 && u < static_cast<int>(all.size()), "there is no unit {}", u);
    const Unit& unit = all[static_cast<std::size_t>(u)];
    for (int i = unit.begin; i < unit.end; ++i) out.push_back(i);
  }
  return out;
}

Request arrange(const Request& request, std::span<const int> units) {
  Request out = request;
  out.context_ids.clear();
  out.units.clear();
  out.token_begin.clear();
  out.token_end.clear();
  const std::vector<int> from = original_indices(request.units, units);
  for (const int i : from) out.context_ids.push_back(request.context_ids[static_cast<std::size_t>(i)]);
  if (!request.token_begin.empty()) {
    const auto take = [&](int i) {
      out.token_begin.push_back(request.token_begin[static_cast<std::size_t>(i)]);
      out.token_end.push_back(request.token_end[static_cast<std::size_t>(i)]);
    };
    for (const int i : from) take(i);
    for (int i = request.n_context(); i < request.n_tokens(); ++i) take(i);
  }
  int begin = 0;
  for (const int u : units) {
    const Unit& unit = request.units[static_cast<std::size_t>(u)];
    require(unit.kind == UnitKind::chunk || out.units.empty(), "a prefix stays first");
    out.units.push_back({unit.kind, begin, begin + unit.size()});
    begin += unit.size();
  }
  return out;
}

std::vector<int> units_in_order(std::span<const Unit> all, std::span<const int> order) {
  const int first = !all.empty() && all.front().kind == UnitKind::prefix ? 1 : 0;
  const int n = static_cast<int>(all.size()) - first;
  std::vector<int> sorted(order.begin(), order.end());
  std::sort(sorted.begin(), sorted.end());
  bool complete = static_cast<int>(sorted.size()) == n;
  for (int i = 0; complete && i < n; ++i) complete = sorted[static_cast<std::size_t>(i)] == i;
  if (!complete) fail(ErrorKind::usage, "an order names each of the {} chunks once", n);
  std::vector<int> units;
  if (first == 1) units.push_back(0);
  for (const int chunk : order) units.push_back(chunk + first);
  return units;
}

}  // namespace kvmend
