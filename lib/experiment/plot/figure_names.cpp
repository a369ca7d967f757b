#include "experiment/plot/figure_names.h"

#include <algorithm>
#include <set>

#include "experiment/plot/figure.h"
#include "experiment/store/run_facts.h"
#include "experiment/table/cells.h"
#include "experiment/table/dimension.h"
#include "experiment/text/width.h"

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

bool is_level(const std::string& strategy) {
  return strategy == "full" || strategy == "no_context" || strategy == "prefix" || strategy == "reuse" ||
         strategy == "reuse_local";
}

/// The parameter in which variants differ, if it is one and a number of each; else "".
std::string differing_number(const std::vector<const TableCell*>& variants) {
  std::set<std::string> differing;
  for (const auto* variant : variants) {
    if (!variant->params.is_map()) return "";
    for (const auto& entry : variant->params.as_map()) {
      const bool same = std::all_of(variants.begin(), variants.end(), [&](const TableCell* other) {
        const Value* value = other->params.find(entry.key);
        return value && value->canonical() == entry.value.canonical();
      });
      if (!same) differing.insert(entry.key);
    }
  }
  if (differing.size() != 1) return "";
  const bool numbers = std::all_of(variants.begin(), variants.end(), [&](const TableCell* variant) {
    const Value* value = variant->params.find(*differing.begin());
    return value && value->is_number();
  });
  return numbers ? *differing.begin() : "";
}

}  // namespace

void FigureNames::join(const std::vector<const TableCell*>& variants, const std::string& shared, std::size_t most) {
  const std::string key = variants.size() > 1 ? differing_number(variants) : "";
  if (key.empty()) return;
  std::map<double, std::string> numbers;
  for (const auto* variant : variants) {
    const Value& value = *variant->params.find(key);
    numbers[value.as_number()] = looks_[variant->strategy].number = value.flow();
  }
  std::string all;
  for (const auto& [value, text] : numbers) all += (all.empty() ? "" : ", ") + text;
  std::string name = fmt::format("{} ({}: {})", shared, key, all);
  if (display_width(name) > most)
    name = fmt::format("{} ({}: {} to {})", shared, key, numbers.begin()->second, numbers.rbegin()->second);
  for (const auto* variant : variants) looks_[variant->strategy].line = with_note(name, variant->note);
}

FigureNames::FigureNames(const std::vector<const TableCell*>& cells, std::size_t most) {
  std::map<std::string, int> variants, names;
  std::vector<const TableCell*> order;
  for (const auto* cell : cells) {
    Look& look = looks_[cell->strategy];
    if (cell->record.ratio) look.fixed = false;
    if (!look.name.empty()) continue;
    look.name = without_parameters(*cell);
    ++variants[look.name];
    order.push_back(cell);
  }
  std::size_t places[2] = {};
  std::map<std::string, std::vector<const TableCell*>> fixed;  // by the name that variants share
  for (const auto* cell : order) {
    Look& look = looks_[cell->strategy];
    look.reference = look.fixed && is_level(cell->record.strategy);
    look.fixed = look.fixed && !look.reference;
    auto* same = look.fixed ? &fixed[look.name] : nullptr;
    look.place = same && !same->empty() ? place(same->front()->strategy) : places[look.reference]++;
    if (same) same->push_back(cell);
  }
  for (const auto& [shared, members] : fixed) join(members, shared, most);
  for (const auto* cell : order) {
    Look& look = looks_[cell->strategy];
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
