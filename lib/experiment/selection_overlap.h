#pragma once
// How the selections of several strategies on one prompt agree, and what their budgets are spent on.
#include <span>
#include <string>
#include <vector>

namespace kvmend {

/// Numbers that two sorted lists share.
std::size_t common_tokens(const std::vector<int>& a, const std::vector<int>& b);

/// |A ∩ B| / |A ∪ B|; NaN where both are empty.
double jaccard(const std::vector<int>& a, const std::vector<int>& b);

/// Token indices by descending score, ties by index.
std::vector<int> ranking_of(std::span<const float> scores);

/// How many tokens of a ranking hold nine tenths of the scores' sum: what the query attends to, where scores are its
/// attention. Negative scores count as 0.
std::size_t attended_tokens(std::span<const float> scores, const std::vector<int>& ranking);

/// ProphetKV's crowding-out (arXiv 2602.02579): the share of a selection that lies outside the tokens the query attends to.
/// NaN where nothing is selected or there are no scores.
double crowding_out(const std::vector<int>& selected, std::span<const float> attention);

/// One prompt's selections beside each other.
struct SelectionOverlap {
  std::vector<std::string> names;
  std::vector<std::vector<double>> jaccard;  ///< [names][names]
  std::vector<double> crowding_out;          ///< [names]
  std::string reference;                     ///< whose scores stand for the query's attention; empty: none are known
};
/// `selections`: sorted, all of one context.
SelectionOverlap overlap_of(std::vector<std::string> names, const std::vector<std::vector<int>>& selections,
                            std::span<const float> attention, std::string reference);

/// The matrix in percent as text: a line a selection with its crowding-out, then a numbered column
/// for each selection.
std::string overlap_text(const SelectionOverlap& overlap);
/// {"names", "jaccard", "crowding_out", "reference"}; NaN is null.
std::string overlap_json(const SelectionOverlap& overlap);

}  // namespace kvmend
