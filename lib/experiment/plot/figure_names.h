#pragma once
#include <map>
#include <string>
#include <vector>

#include "experiment/table/table.h"

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
  /// Its place among the references, or among the others: the same in every figure. Variants of a strategy whose parameters
  /// fix how much they recompute share one.
  std::size_t place(const std::string& strategy) const { return looks_.at(strategy).place; }
  /// What others are compared with: full, no_context and what reuses all it can.
  bool is_reference(const std::string& strategy) const { return looks_.at(strategy).reference; }
  /// No reference, and no ratio to choose: EPIC's k.
  bool is_fixed(const std::string& strategy) const { return looks_.at(strategy).fixed; }
  /// Of variants that are fixed and differ in one number, the name that they share, "epic (k: 2, 8)"; else "".
  const std::string& line(const std::string& strategy) const { return looks_.at(strategy).line; }
  /// Its number on that line: "8".
  const std::string& number(const std::string& strategy) const { return looks_.at(strategy).number; }

 private:
  struct Look {
    std::string name, line, number;
    std::size_t place = 0;
    bool reference = false, fixed = true;
  };
  void join(const std::vector<const TableCell*>& variants, const std::string& shared, std::size_t most);

  std::map<std::string, Look> looks_;
};

/// Cells by strategy, ratio and whatever else would be mixed, as tables do it: only tasks are joined. `table`'s rows are
/// by strategy, its columns by ratio.
std::vector<CellGroup> group_cells(const std::vector<const TableCell*>& cells, const Table& table);

}  // namespace kvmend
