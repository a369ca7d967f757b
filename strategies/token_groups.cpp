#include "strategies/token_groups.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kvmend {
namespace {

/// Calls body(token of `from`, token of `to`) for every pair of context tokens that share a byte.
template <class Body>
void each_overlap(const Request& from, const Request& to, const Body& body) {
  std::size_t first = 0;
  for (std::size_t t = 0; t < to.context_ids.size(); ++t) {
    while (first < from.context_ids.size() && from.token_end[first] <= to.token_begin[t]) ++first;
    for (std::size_t f = first; f < from.context_ids.size() && from.token_begin[f] < to.token_end[t]; ++f) {
      if (from.token_end[f] > to.token_begin[t]) body(f, t);
    }
  }
}

}  // namespace

std::vector<int> TokenGroups::dense_windows(double ratio, int window, int density) const {
  std::vector<int> order;
  for (const Unit& unit : request.units) {
    if (unit.kind == UnitKind::prefix) continue;
    for (int i = unit.begin; i < unit.end; ++i) order.push_back(i);
  }
  const auto count = static_cast<std::size_t>(std::floor(ratio * static_cast<double>(order.size())));
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    const auto x = static_cast<std::size_t>(a), y = static_cast<std::size_t>(b);
    return last[x] != last[y] ? last[x] < last[y] : scores[x] > scores[y];
  });
  std::vector<char> candidate(scores.size()), taken(scores.size());
  for (std::size_t c = 0; c < count; ++c) candidate[static_cast<std::size_t>(order[c])] = 1;
  for (const Unit& unit : request.units) {
    for (int s = unit.begin; s < unit.end; ++s) {
      if (!candidate[static_cast<std::size_t>(s)]) continue;
      const int end = std::min(unit.end, s + window);
      const auto inside = std::accumulate(candidate.begin() + s, candidate.begin() + end, 0);
      if (inside >= std::min(density, unit.size())) std::fill(taken.begin() + s, taken.begin() + end, 1);
    }
  }
  std::vector<int> out;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (taken[i]) out.push_back(static_cast<int>(i));
  }
  return out;
}

std::vector<std::vector<int>> TokenGroups::windows_by_score(int window) const {
  struct Window {
    char last;
    double sum;
    int begin, end;
  };
  std::vector<Window> windows;
  for (const Unit& unit : request.units) {
    if (unit.kind == UnitKind::prefix) continue;
    for (int s = unit.begin; s < unit.end; ++s) {
      const int end = std::min(unit.end, s + window);
      const double sum = std::accumulate(scores.begin() + s, scores.begin() + end, 0.0);
      windows.push_back({last[static_cast<std::size_t>(s)], sum, s, end});
    }
  }
  std::stable_sort(windows.begin(), windows.end(),
                   [](const Window& a, const Window& b) { return a.last != b.last ? a.last < b.last : a.sum > b.sum; });
  std::vector<std::vector<int>> out;
  for (const Window& w : windows) {
    out.emplace_back(static_cast<std::size_t>(w.end - w.begin));
    std::iota(out.back().begin(), out.back().end(), w.begin);
  }
  return out;
}

std::vector<int> overlapping_tokens(const Request& from, const std::vector<int>& tokens, const Request& to) {
  std::vector<int> out;
  for (const int f : tokens) {  // both tokenisations are in byte order: a binary search finds where to begin
    const auto begin = from.token_begin[static_cast<std::size_t>(f)], end = from.token_end[static_cast<std::size_t>(f)];
    const auto context_end = to.token_end.begin() + to.n_context();
    const auto first = static_cast<std::size_t>(
        std::partition_point(to.token_end.begin(), context_end, [&](std::uint32_t e) { return e <= begin; }) -
        to.token_end.begin());
    for (std::size_t t = first; t < to.context_ids.size() && to.token_begin[t] < end; ++t) {
      if (to.token_end[t] > begin) out.push_back(static_cast<int>(t));
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<float> overlapping_scores(const Request& from, const std::vector<float>& scores, const Request& to) {
  std::vector<float> out(to.context_ids.size());
  each_overlap(from, to, [&](std::size_t f, std::size_t t) { out[t] = std::max(out[t], scores[f]); });
  return out;
}

}  // namespace kvmend
