#pragma once
#include <map>
#include <string>
#include <vector>

#include "experiment/table.h"

namespace kvmend {

/// The cells that a figure puts into one line, bar or map.
struct CellGroup {
  std::string strategy, rest;  ///< the label's parts: the rest is the ratio and what else varies, ", 20 %"
  std::vector<const TableCell*> cells;
};

/// Strategies' names and places in a figure.
class FigureNames {
 public:
  /// Names of at most `most` letters, in the order of `cells`. Parentheses that tell no variants apart are left out.
  explicit FigureNames(const std::vector<const TableCell*>& cells, std::size_t most = 24);

  const std::string& operator[](const std::string& strategy) const { return looks_.at(strategy).name; }
  /// Its place among the strategies with a ratio, or among those without (references): the same in every figure.
  std::size_t place(const std::string& strategy) const { return looks_.at(strategy).place; }
  bool is_reference(const std::string& strategy) const { return looks_.at(strategy).reference; }

 private:
  struct Look {
    std::string name;
    std::size_t place = 0;
    bool reference = true;
  };
  std::map<std::string, Look> looks_;
};

/// Cells by strategy, ratio and whatever else would be mixed, as tables do it: only tasks are joined. `table`'s rows are
/// by strategy, its columns by ratio.
std::vector<CellGroup> group_cells(const std::vector<const TableCell*>& cells, const Table& table);

}  // namespace kvmend
