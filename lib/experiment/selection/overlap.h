#pragma once
// How the selections of several strategies on one prompt agree, and what their budgets are spent on.
#include <span>
#include <string>
#include <vector>

#include "experiment/selection/exact_rows.h"

namespace kvmend {

/// Numbers that two sorted lists share.
std::size_t common_tokens(const std::vector<int>& a, const std::vector<int>& b);

/// |A ∩ B| / |A ∪ B|; NaN where both are empty.
double jaccard(const std::vector<int>& a, const std::vector<int>& b);

/// Token indices by descending score, ties by index.
std::vector<int> ranking_of(std::span<const float> scores);

/// A reference's scores as what selections are measured by. Rows that are exact already count on neither side: no selector
/// gains by choosing them, and an attention sink among them may hold most of the sum.
struct ScoreRanking {
  TokenRanges exact;        ///< left out of what follows
  std::vector<int> tokens;  ///< by descending score, ties by index; empty: there are no scores
  std::vector<int>
      attended;  ///< sorted: the fewest of them that hold nine tenths of their scores' sum, negative ones as 0
};
ScoreRanking rank_scores(std::span<const float> scores, TokenRanges exact);

/// ProphetKV's crowding-out (arXiv 2602.02579): the share of a selection that lies outside the tokens the query attends to,
/// where scores are its attention. NaN where nothing that counts is selected or there are no scores.
double crowding_out(const std::vector<int>& selected, const ScoreRanking& attention);

/// One prompt's selections beside each other.
struct SelectionOverlap {
  std::vector<std::string> names;
  std::vector<std::vector<double>> jaccard;  ///< [names][names]
  std::vector<double> crowding_out;          ///< [names]
  std::string reference;                     ///< whose scores stand for the query's attention; empty: none are known
};
/// `selections`: sorted, all of one context.
SelectionOverlap overlap_of(std::vector<std::string> names, const std::vector<std::vector<int>>& selections,
                            const ScoreRanking& attention, std::string reference);

/// The matrix in percent as text: a line a selection with its crowding-out, then a numbered column
/// for each selection.
std::string overlap_text(const SelectionOverlap& overlap);
/// {"names", "jaccard", "crowding_out", "reference"}; NaN is null.
std::string overlap_json(const SelectionOverlap& overlap);

}  // namespace kvmend
