#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/suggest.h"
#include "datasets/task.h"
#include "experiment/table/cells.h"
#include "experiment/table/dimension.h"
#include "experiment/table/group.h"
#include "experiment/table/table.h"

namespace kvmend {
namespace {

using Cells = std::vector<const TableCell*>;

void check_names(const TableData& data, const TableQuery& query) {
  const std::vector<std::string> known = dimension_names(data.cells);
  const auto check = [&](const std::string& name, const char* option) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const std::string near = nearest_name(name, known);
      fail(ErrorKind::usage, "{}: unknown dimension '{}'{}", option, name,
           near.empty() ? fmt::format("; known: {}", fmt::join(known, ", ")) : did_you_mean(name, known));
    }
  };
  for (const auto& name : query.rows) check(name, "--rows");
  for (const auto& name : query.cols) check(name, "--cols");
  for (const auto& [name, value] : query.where) check(name, "--where");
  std::vector<std::string> values;
  for (const auto& value : table_values()) values.push_back(value.name);
  for (const auto& name : query.values) {
    if (std::find(values.begin(), values.end(), name) == values.end()) {
      const std::string near = nearest_name(name, values);
      fail(ErrorKind::usage, "--value: unknown value '{}'{}", name,
           near.empty() ? "; 'kvmend list values' explains them" : did_you_mean(name, values));
    }
  }
}

}  // namespace

bool matches(const TableCell& cell, const std::string& name, const std::string& wanted) {
  const std::string value = dimension(cell, name);
  if (value == wanted || (value.empty() && wanted == heading(name, value))) return true;
  if (name == "group") {
    const auto groups = groups_of(cell);
    return std::find(groups.begin(), groups.end(), wanted) != groups.end();
  }
  if (name == "strategy") return cell.record.strategy == wanted;
  if (name == "task") return cell.record.task == wanted;
  if (name == "chunker") return cell.record.chunker.flow() == wanted;
  const auto a = parse_number(value), b = parse_number(wanted);
  return a && b && *a == *b;
}

namespace {

bool is_group(const std::string& name) {
  const auto groups = list_task_groups();
  return std::any_of(groups.begin(), groups.end(), [&](const TaskGroup& group) { return group.name == name; });
}

using Wanted = std::map<std::string, std::vector<std::string>>;  ///< values by dimension

/// Whether a cell is one of those that all of a query's --where mean.
bool meets(const TableCell& cell, const Wanted& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& want) {
    // Baselines without a ratio belong to every ratio: they are what it is compared with.
    if (want.first == "ratio" && !cell.record.ratio) return true;
    return std::any_of(want.second.begin(), want.second.end(),
                       [&](const std::string& value) { return matches(cell, want.first, value); });
  });
}

/// The query's --where; throws Error(usage) for one that no cell meets.
Wanted conditions(const TableData& data, const TableQuery& query) {
  Wanted wanted;
  for (const auto& [name, value] : query.where) {
    std::vector<std::string> there;
    bool found = false;
    for (const auto& cell : data.cells) {
      found = found || matches(cell, name, value);
      const auto others = name == "group" ? groups_of(cell) : std::vector{dimension(cell, name)};
      for (const std::string& other : others) {
        if (!other.empty() && std::find(there.begin(), there.end(), other) == there.end()) there.push_back(other);
      }
    }
    if (!found)
      fail(ErrorKind::usage, "--where {}={}: no cell has it{}", name, value,
           name == "task" && is_group(value) ? fmt::format("; it is a group: --where group={}", value)
           : parse_number(value)             ? fmt::format("; known: {}", fmt::join(there, ", "))
                                             : did_you_mean(value, there));
    wanted[name].push_back(value);
  }
  return wanted;
}

bool has_results(const TableCell& cell) { return !cell.observations.empty() || cell.failed > 0; }

/// At least one.
Cells some(Cells cells, const TableQuery& query) {
  if (cells.empty())
    fail(ErrorKind::usage, "there are no results to show{}", query.where.empty() ? " yet" : " with this --where");
  return cells;
}

}  // namespace

std::vector<const TableCell*> matching_cells(const TableData& data, const TableQuery& query) {
  check_names(data, query);
  const Wanted wanted = conditions(data, query);
  Cells out;
  for (const auto& cell : data.cells) {
    if (meets(cell, wanted)) out.push_back(&cell);
  }
  return some(std::move(out), query);
}

std::vector<const TableCell*> filter_cells(const TableData& data, const TableQuery& query) {
  Cells out = matching_cells(data, query);
  std::erase_if(out, [](const TableCell* cell) { return !has_results(*cell); });
  return some(std::move(out), query);
}

std::vector<const TableCell*> unstarted_cells(const TableData& data, const TableQuery& query) {
  Wanted wanted;
  for (const auto& [name, value] : query.where) wanted[name].push_back(value);
  Cells out;
  for (const auto& cell : data.cells) {
    if (cell.wanted > 0 && !has_results(cell) && meets(cell, wanted)) out.push_back(&cell);
  }
  return out;
}

}  // namespace kvmend
