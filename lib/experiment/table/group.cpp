#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "datasets/task.h"
#include "experiment/table/group.h"

namespace kvmend {

std::vector<std::string> groups_of(const TableCell& cell) {
  if (!cell.group.empty()) return {cell.group};
  std::vector<std::string> out;
  for (const TaskGroup& group : list_task_groups()) {
    if (std::find(group.members.begin(), group.members.end(), cell.record.task) != group.members.end())
      out.push_back(group.name);
  }
  if (out.empty()) out.push_back(cell.record.task);
  return out;
}

TableData split_by_group(const TableData& data) {
  TableData out = data;
  out.cells.clear();
  for (const TableCell& cell : data.cells) {
    for (std::string& group : groups_of(cell)) {
      out.cells.push_back(cell);
      out.cells.back().group = std::move(group);
    }
  }
  return out;
}

std::vector<std::string> group_warnings(const std::vector<const TableCell*>& cells) {
  std::map<std::string, std::set<std::string>> there;
  for (const TableCell* cell : cells) {
    if (!cell->group.empty()) there[cell->group].insert(cell->record.task);
  }
  std::string parts;
  for (const TaskGroup& group : list_task_groups()) {
    const auto found = there.find(group.name);
    if (found == there.end() || found->second.size() == group.members.size()) continue;
    parts += fmt::format("{}{} over {} of {}", parts.empty() ? "" : ", ", group.name, found->second.size(),
                         group.members.size());
  }
  if (parts.empty()) return {};
  return {"groups whose tasks were not all run: " + parts};
}

}  // namespace kvmend
