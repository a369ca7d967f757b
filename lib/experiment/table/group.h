#pragma once
// The dimension `group`: ruler/niah, longbench/qa, … A task is in several groups, so a cell stands in several places.
#include "experiment/table/data.h"

namespace kvmend {

/// The groups of a cell's task ("ruler/all", "ruler/niah"); of a task in none, the task. After split_by_group its one.
std::vector<std::string> groups_of(const TableCell& cell);

/// Every cell once for each of its groups.
TableData split_by_group(const TableData& data);

/// Of split cells: groups of which some tasks have no cell, so that their means are not what the group's name says.
std::vector<std::string> group_warnings(const std::vector<const TableCell*>& cells);

}  // namespace kvmend
