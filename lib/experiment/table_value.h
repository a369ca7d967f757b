#pragma once
#include <string>
#include <vector>

#include "experiment/table.h"

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

/// The estimate of one value over cells of different tasks, nullopt where there is nothing to show.
std::optional<Estimate> estimate_value(const std::string& value, const std::vector<const TableCell*>& cells,
                                       const References& references);

/// a − b on the samples that both have.
TaskValues paired_difference(const TableCell& a, const TableCell& b);

}  // namespace kvmend
