#include "experiment/table/tasks.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "experiment/table/cells.h"
#include "experiment/table/dimension.h"
#include "experiment/text/labels.h"

namespace kvmend {
namespace {

using Cells = std::vector<const TableCell*>;
using Names = std::vector<std::string>;
using Tasks = std::set<std::string>;

constexpr std::size_t most_listed = 5;

/// Whether a dimension's values have tasks of their own: groups, lengths, and evidence, which some tasks have none of.
bool splits_tasks(const Cells& cells, const std::string& name) {
  if (name == "group" || name == "data" || name == "evidence") return true;
  const auto has = [&](const Value& params) { return params.find(name) != nullptr; };
  return std::any_of(cells.begin(), cells.end(), [&](const TableCell* c) { return has(c->record.task_params); }) &&
         std::none_of(cells.begin(), cells.end(), [&](const TableCell* c) { return has(c->params); });
}

Names values_of(const TableCell& cell, const Names& dimensions) {
  Names out;
  for (const std::string& name : dimensions) out.push_back(dimension(cell, name));
  return out;
}

/// "epic (fixed: 64) at 20 %".
std::string name_of(const Names& dimensions, const Names& values) {
  std::string out, others, ratio;
  for (std::size_t d = 0; d < values.size(); ++d) {
    if (values[d].empty()) continue;
    if (dimensions[d] == "ratio")
      ratio = heading("ratio", values[d]);
    else if (out.empty())
      out = values[d];
    else
      others += (others.empty() ? "" : ", ") + values[d];
  }
  if (!others.empty()) out += " (" + others + ")";
  return out.empty() || ratio.empty() ? out + ratio : out + " at " + ratio;
}

}  // namespace

std::vector<std::string> task_set_warnings(const Table& table, const Cells& cells) {
  Names dimensions = table.row_dimensions, headings;
  dimensions.insert(dimensions.end(), table.col_dimensions.begin(), table.col_dimensions.end());
  if (std::find(dimensions.begin(), dimensions.end(), "task") != dimensions.end()) return {};
  std::copy_if(dimensions.begin(), dimensions.end(), std::back_inserter(headings),
               [&](const std::string& name) { return splits_tasks(cells, name); });
  struct Figure {
    Names values, heading;
    Tasks tasks;
  };
  std::vector<Figure> figures;  // in the order met
  std::map<Names, std::size_t> place;
  std::map<Names, Tasks> under;  // by heading
  for (const auto* cell : cells) {
    if (cell->observations.empty()) continue;
    const auto [at, fresh] = place.emplace(values_of(*cell, dimensions), figures.size());
    if (fresh) figures.push_back({at->first, values_of(*cell, headings), {}});
    figures[at->second].tasks.insert(cell->task);
    under[figures[at->second].heading].insert(cell->task);
  }
  std::map<std::pair<Names, std::size_t>, Names> over_fewer;  // figures, by the tasks they lack and how many there are
  for (const Figure& figure : figures) {
    const Tasks& all = under.at(figure.heading);
    Names lacking;
    std::set_difference(all.begin(), all.end(), figure.tasks.begin(), figure.tasks.end(), std::back_inserter(lacking));
    if (!lacking.empty()) over_fewer[{lacking, all.size()}].push_back(name_of(dimensions, figure.values));
  }
  Names parts;
  for (const auto& [of, names] : over_fewer) {
    const auto& [lacking, all] = of;
    parts.push_back(fmt::format("{} {} over {} of {} tasks (without {})", listed(names, most_listed),
                                names.size() == 1 ? "is" : "are", all - lacking.size(), all,
                                listed(lacking, most_listed)));
  }
  if (parts.empty()) return {};
  return {
      fmt::format("means over different tasks do not compare: {}; choose tasks with --where, or see them apart with "
                  "--cols task",
                  fmt::join(parts, "; "))};
}

}  // namespace kvmend
