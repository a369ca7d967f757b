#pragma once
// The scores by name; metric.cpp holds the table. All are 0 for an empty list of references.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace kvmend {

using References = std::vector<std::string>;

// RULER (eval/synthetic/constants.py): the prediction is stripped, control characters become line breaks, stripped again.
double string_match_all(std::string_view prediction, const References& references, const References& classes);
double string_match_part(std::string_view prediction, const References& references, const References& classes);

// Question answering, over normalize_answer. F1 of two empty texts is 0 (LongBench); a reference that normalises to
// nothing occurs in nothing.
double f1(std::string_view prediction, const References& references, const References& classes);
double exact_match(std::string_view prediction, const References& references, const References& classes);
double substring(std::string_view prediction, const References& references, const References& classes);

/// Distinct normalised words of a reference, function words left out, that are words of the prediction. A reference of
/// function words only keeps them all.
double keyword_recall(std::string_view prediction, const References& references, const References& classes);

/// 2PR/(P + R + 1e-8) over sets of unique words: the union of the longest common subsequences of every reference
/// sentence with every predicted sentence. Sentences end at ".", words at spaces; case counts. 0 if a side is empty.
double rouge_l(std::string_view prediction, const References& references, const References& classes);

// LongBench. A class name is found where the prediction contains it. `classification` drops those contained in the
// reference as upstream does, skipping every name behind a dropped one; `classification_strict` looks at all of them.
double classification(std::string_view prediction, const References& references, const References& classes);
double classification_strict(std::string_view prediction, const References& references, const References& classes);
double count_score(std::string_view prediction, const References& references, const References& classes);
double retrieval(std::string_view prediction, const References& references, const References& classes);
double retrieval_zh(std::string_view prediction, const References& references, const References& classes);
double code_similarity(std::string_view prediction, const References& references, const References& classes);

// Over jieba's words (eval/jieba.h). check_chinese throws where its dictionary is missing.
double f1_zh(std::string_view prediction, const References& references, const References& classes);
double rouge_l_zh(std::string_view prediction, const References& references, const References& classes);
void check_chinese();

/// F1 of two multisets of words; 0 if they share none.
double f1_of(const std::vector<std::string>& predicted, const std::vector<std::string>& expected);

/// The best of a score of one prediction and one reference.
template <class Score>
double best_over(const References& references, Score score) {
  double best = 0;
  for (const auto& reference : references) best = std::max(best, score(reference));
  return best;
}

}  // namespace kvmend
