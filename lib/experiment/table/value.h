#pragma once
#include <string>
#include <vector>

#include "eval/comparison.h"
#include "experiment/table/table.h"

namespace kvmend {

/// Cells by the prompts they ran on, for values that compare with `full`.
class References {
 public:
  explicit References(const std::vector<TableCell>& cells);
  /// The full prefill over the same prompts, model and device; null if there is none.
  const TableCell* full(const TableCell& cell) const;
  const TableCell* no_context(const TableCell& cell) const;

 private:
  const TableCell* find(const TableCell& cell, const char* strategy) const;
  std::map<std::string, const TableCell*> cells_;
};

/// The estimate of one value over cells of different tasks, nullopt where there is nothing to show. `refusal`: why not,
/// where a reader would ask.
std::optional<Estimate> estimate_value(const std::string& value, const std::vector<const TableCell*>& cells,
                                       const References& references, IntervalMethod method, std::string& refusal);

/// Full prefill answers a sample from this score on: what `score_solved` is over.
inline constexpr double solved_score = 0.5;

/// The samples of each task that both have over the same prompts, by question and position; of `solved` samples only, if asked.
std::vector<PairedTask> pair_by_task(const std::vector<const TableCell*>& a, const std::vector<const TableCell*>& b,
                                     const References* only_solved = nullptr);

bool is_known_value(const std::string& name);
/// Whether a value is made from selections, and so needs load_table_data's reference.
bool is_selection_value(const std::string& value);
/// Whether more of a value is better and strategies are to be compared by it.
bool is_quality_value(const std::string& value);

/// a − b on the samples that both have.
TaskValues paired_difference(const TableCell& a, const TableCell& b);

}  // namespace kvmend
