#include "experiment/selection_overlap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include <fmt/format.h>

#include "experiment/table_format.h"

namespace kvmend {
namespace {

constexpr double attended = 0.9;
constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::string percent(double share) { return std::isnan(share) ? "–" : fmt::format("{:.0f}", 100 * share); }

}  // namespace

std::size_t common_tokens(const std::vector<int>& a, const std::vector<int>& b) {
  std::size_t both = 0;
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    both += *x == *y;
    *x < *y ? static_cast<void>(++x) : *y < *x ? static_cast<void>(++y) : (++x, static_cast<void>(++y));
  }
  return both;
}

double jaccard(const std::vector<int>& a, const std::vector<int>& b) {
  if (a.empty() && b.empty()) return none;
  const std::size_t both = common_tokens(a, b);
  return static_cast<double>(both) / static_cast<double>(a.size() + b.size() - both);
}

std::vector<int> ranking_of(std::span<const float> scores) {
  std::vector<int> ranking(scores.size());
  std::iota(ranking.begin(), ranking.end(), 0);
  std::stable_sort(ranking.begin(), ranking.end(), [&](int a, int b) {
    return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
  });
  return ranking;
}

std::size_t attended_tokens(std::span<const float> scores, const std::vector<int>& ranking) {
  double total = 0, sum = 0;
  for (const float s : scores) total += std::max(0.0F, s);
  std::size_t count = 0;
  while (count < ranking.size() && sum < attended * total) {
    sum += std::max(0.0F, scores[static_cast<std::size_t>(ranking[count++])]);
  }
  return count;
}

double crowding_out(const std::vector<int>& selected, std::span<const float> attention) {
  if (selected.empty() || attention.empty()) return none;
  std::vector<int> heard = ranking_of(attention);
  heard.resize(attended_tokens(attention, heard));
  std::sort(heard.begin(), heard.end());
  return 1 - static_cast<double>(common_tokens(selected, heard)) / static_cast<double>(selected.size());
}

SelectionOverlap overlap_of(std::vector<std::string> names, const std::vector<std::vector<int>>& selections,
                            std::span<const float> attention, std::string reference) {
  SelectionOverlap out{std::move(names), {}, {}, std::move(reference)};
  for (const auto& one : selections) {
    out.crowding_out.push_back(crowding_out(one, attention));
    std::vector<double> row;
    for (const auto& other : selections) row.push_back(jaccard(one, other));
    out.jaccard.push_back(std::move(row));
  }
  return out;
}

std::string overlap_text(const SelectionOverlap& overlap) {
  std::size_t name = display_width("Jaccard %");
  for (const auto& n : overlap.names) name = std::max(name, display_width(n));
  const std::size_t number = std::to_string(overlap.names.size()).size();
  std::string out = fmt::format("{:>{}} {} {:>7}", "", number, pad_right("Jaccard %", name), "crowded");
  for (std::size_t i = 0; i < overlap.names.size(); ++i) out += fmt::format(" {:>3}", i + 1);
  for (std::size_t i = 0; i < overlap.names.size(); ++i) {
    out += fmt::format("\n{:>{}} {} {:>7}", i + 1, number, pad_right(overlap.names[i], name),
                       percent(overlap.crowding_out[i]));
    for (std::size_t j = 0; j < overlap.names.size(); ++j) {
      out += fmt::format(" {:>3}", i == j ? "·" : percent(overlap.jaccard[i][j]));
    }
  }
  out += overlap.reference.empty()
             ? "\ncrowded: not known; it takes the scores of oracle_attention or prophetkv (store: {scores: true})\n"
             : fmt::format(
                   "\ncrowded: % of the selection outside the fewest tokens with 90 % of the query's attention "
                   "({})\n",
                   overlap.reference);
  return out;
}

std::string overlap_json(const SelectionOverlap& overlap) {
  const auto number = [](double x) { return std::isnan(x) ? nlohmann::ordered_json() : nlohmann::ordered_json(x); };
  nlohmann::ordered_json out{{"names", overlap.names}};
  for (const auto& row : overlap.jaccard) {
    nlohmann::ordered_json line = nlohmann::ordered_json::array();
    for (const double x : row) line.push_back(number(x));
    out["jaccard"].push_back(line);
  }
  for (const double x : overlap.crowding_out) out["crowding_out"].push_back(number(x));
  out["reference"] = overlap.reference.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(overlap.reference);
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace kvmend
