#include "experiment/figure_names.h"

#include <algorithm>

#include "experiment/figure.h"
#include "experiment/run_facts.h"
#include "experiment/table_cells.h"

namespace kvmend {
namespace {

/// "cacheclip" of "cacheclip (aux_model: smollm2-135m)", if the parentheses are the program's, not the config's words.
std::string without_parameters(const TableCell& cell) {
  const std::string& label = cell.strategy;
  const std::size_t open = label.find(" (");
  if (open == std::string::npos || !label.ends_with(')')) return label;
  const std::string base = label.substr(0, open);
  const bool added = label != cell.record.label && label != cell.record.series;
  return added || base == cell.record.strategy ? base : label;
}

}  // namespace

FigureNames::FigureNames(const std::vector<const TableCell*>& cells, std::size_t most) {
  std::map<std::string, int> variants, names;
  std::vector<const TableCell*> order;
  for (const auto* cell : cells) {
    Look& look = looks_[cell->strategy];
    if (cell->record.ratio) look.reference = false;
    if (!look.name.empty()) continue;
    look.name = without_parameters(*cell);
    ++variants[look.name];
    order.push_back(cell);
  }
  std::size_t places[2] = {};
  for (const auto* cell : order) {
    Look& look = looks_[cell->strategy];
    look.place = places[look.reference]++;
    const std::string whole = variants[look.name] > 1 ? cell->strategy : look.name;
    look.name = shorten(whole, most);
    if (const int same = ++names[look.name]; same > 1)
      look.name = fmt::format("{} {}", shorten(whole, std::max<std::size_t>(most, 6) - 3), same);
    look.name = with_note(look.name, cell->note);
  }
}

std::vector<CellGroup> group_cells(const std::vector<const TableCell*>& cells, const Table& table) {
  std::vector<CellGroup> groups;
  for (const auto* cell : cells) {
    if (cell->observations.empty()) continue;
    std::string rest;
    if (cell->record.ratio) rest = ", " + heading("ratio", format_number(*cell->record.ratio));
    for (std::size_t d = 1; d < table.row_dimensions.size(); ++d)
      rest += ", " + heading(table.row_dimensions[d], dimension(*cell, table.row_dimensions[d]));
    const auto same = [&](const CellGroup& group) { return group.strategy == cell->strategy && group.rest == rest; };
    auto at = std::find_if(groups.begin(), groups.end(), same);
    if (at == groups.end()) at = groups.insert(groups.end(), {cell->strategy, rest, {}});
    at->cells.push_back(cell);
  }
  return groups;
}

}  // namespace kvmend
