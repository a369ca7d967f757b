#include "strategies/fusion.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace kvmend {

std::vector<float> mean_scores(const ScoreRows& rows) {
  if (rows.empty()) return {};
  std::vector<double> sum(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += row[j];
  }
  std::vector<float> out;
  for (const double s : sum) out.push_back(static_cast<float>(s / static_cast<double>(rows.size())));
  return out;
}

std::vector<float> max_scores(const ScoreRows& rows) {
  if (rows.empty()) return {};
  std::vector<float> out(rows.front().begin(), rows.front().end());
  for (const auto& row : rows) {
    for (std::size_t j = 0; j < out.size(); ++j) out[j] = std::max(out[j], row[j]);
  }
  return out;
}

std::vector<float> rank_scores(const ScoreRows& rows) {
  if (rows.empty()) return {};
  std::vector<double> sum(rows.front().size());
  std::vector<int> order(sum.size());
  for (const auto& row : rows) {
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return row[static_cast<std::size_t>(a)] > row[static_cast<std::size_t>(b)]; });
    for (std::size_t rank = 0; rank < order.size(); ++rank)
      sum[static_cast<std::size_t>(order[rank])] += static_cast<double>(rank);
  }
  std::vector<float> out;
  for (const double s : sum) out.push_back(static_cast<float>(-s / static_cast<double>(rows.size())));
  return out;
}

std::vector<float> fuse(const ScoreRows& rows, Fusion fusion) {
  switch (fusion) {
    case Fusion::mean: return mean_scores(rows);
    case Fusion::max: return max_scores(rows);
    case Fusion::rank: return rank_scores(rows);
  }
  return {};
}

float mean_or_one(std::span<const float> values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  const double mean = values.empty() ? 0.0 : sum / static_cast<double>(values.size());
  return mean == 0.0 ? 1.0F : static_cast<float>(mean);
}

void check_layer_list(const std::vector<int>& layers, ParamErrors& errors, const Location& where) {
  const bool increasing = std::adjacent_find(layers.begin(), layers.end(), std::greater_equal<>()) == layers.end();
  if (!increasing || (!layers.empty() && layers.front() < 0)) {
    errors.add(where, "layers must be increasing and at least 0");
  }
}

void check_layers(const std::vector<int>& layers, const ModelFacts& model) {
  if (layers.empty() || layers.back() < model.n_layers) return;
  fail(ErrorKind::usage, "layer {} is past the model's last layer {}", layers.back(), model.n_layers - 1);
}

void refuse_window(const char* what, const ModelFacts& model) {
  if (!model.has_window) return;
  fail(ErrorKind::usage,
       "this model's layers attend within a sliding window, which needs positions in the tokens' order; {} have "
       "another",
       what);
}

}  // namespace kvmend
