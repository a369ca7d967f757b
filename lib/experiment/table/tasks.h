#pragma once
// Over which tasks each figure of a table is a mean.
#include <string>
#include <vector>

#include "experiment/table/table.h"

namespace kvmend {

/// One line, or none: which figures are over fewer tasks than others under the same heading, "epic at 20 % is over 2 of 3 tasks
/// (without ruler/vt)". Lengths, groups and whatever else is a task's own are headings that each have their tasks.
std::vector<std::string> task_set_warnings(const Table& table, const std::vector<const TableCell*>& cells);

}  // namespace kvmend
