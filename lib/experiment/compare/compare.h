#pragma once
// `kvmend compare`: a paired test of two strategies, per task and over all.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/comparison.h"
#include "experiment/table/data.h"

namespace kvmend {

struct CompareQuery {
  std::string a, b;               ///< labels, or registered names that only one label has
  std::optional<double> ratio{};  ///< nullopt: every ratio that there is
  IntervalMethod interval = IntervalMethod::percentile;
  bool solved = false;                                       ///< only samples that full prefill solves
  std::vector<std::pair<std::string, std::string>> where{};  ///< as TableQuery::where
};

struct CompareRow {
  std::optional<double> ratio;  ///< of the one that has it, or of both
  std::string task;             ///< empty: over all tasks
  std::string model, chunker;   ///< with the evidence class, where the data are split by it
  std::string variant;  ///< "max_new_tokens: 64": what else rows of one model differ in, but for the task and the ratio
  double a = 0, b = 0;  ///< means over the pairs
  double effective_ratio = 0, flops_ratio = 0;  ///< of a, over all its samples
  Comparison comparison;
};

struct CompareResult {
  std::string a, b;  ///< labels
  Value params;      ///< of a
  std::vector<CompareRow> rows;
  std::vector<std::string> notes;
};

/// Pairs a at each ratio with b at the same one, or with b's only cell if it has no ratio (and the other way round), over the
/// same prompts, model and device. Holm's family is every row. Throws Error(usage) for unknown or ambiguous names, for a task
/// that was run over several data (`where` has to choose), and where nothing pairs.
CompareResult compare_strategies(const TableData& data, const CompareQuery& query);

/// "text", "md", "csv", "latex" or "json"; throws Error(usage). JSON has table's fields (value: "difference", mean: a − b) and
/// other, mean_a, mean_b, p, p_holm, effect, wins, losses, ties, detectable, variant (null: there is none).
std::string format_comparison(const CompareResult& result, std::string_view format);

}  // namespace kvmend
