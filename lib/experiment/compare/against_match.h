#pragma once
// Which of our cells a paper's strategy, ratio and task mean.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "experiment/table/data.h"

namespace kvmend {

class PaperMatcher {
 public:
  using Cells = std::vector<const TableCell*>;
  struct Match {
    Cells cells;  ///< one a task
    int tasks_of = 0;
    std::string reason;  ///< why there are none
  };

  explicit PaperMatcher(Cells cells);

  /// Cells of a strategy at a ratio on a task or group. A strategy is, in this order: a label; a name with parameters as
  /// labels have them, "epic (k: 32)", whatever the label of what has these and else the defaults; a registered name.
  /// A strategy without a ratio is found at any, but where the paper has a ratio a name alone never means a variant whose
  /// parameter stands for it (epic with a k).
  Match find(const std::string& strategy, const std::optional<double>& ratio, const std::string& task) const;

 private:
  Cells of_strategy(const std::string& strategy, bool at_a_ratio) const;
  bool lost_its_ratio(const TableCell& cell) const;

  Cells cells_;
  std::set<std::string> with_ratio_;  ///< strategies that have one by default
};

}  // namespace kvmend
