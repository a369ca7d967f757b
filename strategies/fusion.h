#pragma once
#include <span>
#include <vector>

#include "core/params.h"
#include "recompute/selector.h"

namespace kvmend {

/// Scores of several layers (or selectors), each [N].
using ScoreRows = std::vector<std::span<const float>>;

enum class Fusion : std::uint8_t { mean, max, rank };

std::vector<float> mean_scores(const ScoreRows& rows);
std::vector<float> max_scores(const ScoreRows& rows);
/// Minus the mean descending rank: 0 is best, ties by lower index.
std::vector<float> rank_scores(const ScoreRows& rows);
std::vector<float> fuse(const ScoreRows& rows, Fusion fusion);

/// The mean of values that others are divided by; 1 where it is 0.
float mean_or_one(std::span<const float> values);

/// Adds an error unless layers are increasing and at least 0.
void check_layer_list(const std::vector<int>& layers, ParamErrors& errors, const Location& where);
/// Throws Error(usage) if the list goes past the model's depth.
void check_layers(const std::vector<int>& layers, const ModelFacts& model);
/// Throws Error(usage) for a model with a sliding window, which `what` of a strategy leaves without meaning.
void refuse_window(const char* what, const ModelFacts& model);

template <>
struct EnumNames<Fusion> {
  static constexpr std::array names{std::pair{Fusion::mean, "mean"}, std::pair{Fusion::max, "max"},
                                    std::pair{Fusion::rank, "rank"}};
};

}  // namespace kvmend
