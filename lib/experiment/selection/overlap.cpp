#include "experiment/selection/overlap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include <fmt/format.h>

#include "experiment/text/width.h"

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

ScoreRanking rank_scores(std::span<const float> scores, TokenRanges exact) {
  ScoreRanking out{std::move(exact), {}, {}};
  out.tokens = outside(ranking_of(scores), out.exact);
  const auto score = [&](int token) { return std::max(0.0F, scores[static_cast<std::size_t>(token)]); };
  double total = 0, sum = 0;
  for (const int token : out.tokens) total += score(token);
  for (const int token : out.tokens) {
    if (sum >= attended * total) break;
    sum += score(token);
    out.attended.push_back(token);
  }
  std::sort(out.attended.begin(), out.attended.end());
  return out;
}

double crowding_out(const std::vector<int>& selected, const ScoreRanking& attention) {
  const std::vector<int> counted = outside(selected, attention.exact);
  if (counted.empty() || attention.tokens.empty()) return none;
  return 1 - static_cast<double>(common_tokens(counted, attention.attended)) / static_cast<double>(counted.size());
}

SelectionOverlap overlap_of(std::vector<std::string> names, const std::vector<std::vector<int>>& selections,
                            const ScoreRanking& attention, std::string reference) {
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
                   "({}); tokens that are exact already don't count\n",
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
