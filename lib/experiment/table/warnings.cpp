#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>

#include "core/error.h"
#include "experiment/table/cells.h"
#include "experiment/table/dimension.h"
#include "experiment/table/table.h"
#include "experiment/table/value.h"
#include "experiment/text/labels.h"

namespace kvmend {
namespace {

constexpr std::size_t most_listed = 5;

std::string place(const TableCell& cell) { return at_ratio(cell.strategy, cell.record.ratio) + " on " + cell.task; }

/// Full prefill that is no better than no context at all leaves a selection nothing to lose.
void warn_of_idle_tasks(const std::vector<TableCell>& all, const std::vector<const TableCell*>& cells,
                        std::vector<std::string>& warnings) {
  const References references(all);
  std::set<const TableCell*> checked;
  for (const auto* cell : cells) {
    const TableCell* full = references.full(*cell);
    const TableCell* none = references.no_context(*cell);
    if (!full || !none || !checked.insert(full).second) continue;
    const TaskValues difference = paired_difference(*full, *none);
    if (difference.values.size() < 2) continue;
    const Estimate e = estimate_mean(std::vector{difference}, {.scale = Scale::difference});
    const bool idle = e.interval ? e.interval->lo <= 0 : e.value <= 0;
    if (!idle) continue;
    const std::string interval =
        e.interval ? fmt::format(" [{:.1f}, {:.1f}]", 100 * e.interval->lo, 100 * e.interval->hi) : std::string();
    warnings.push_back(fmt::format(
        "full is not distinguishable from no_context on {} ({:+.1f}{}, n = {}): it cannot show what reuse costs",
        full->task, 100 * e.value, interval, e.n));
  }
}

/// Cells to be said in one: every strategy at every ratio in every setting.
struct Grouped {
  using List = std::vector<std::string>;
  List strategies, ratios, settings;
};

/// Makes one of the entries that are equal but for `list`, which has one item in each.
std::vector<Grouped> joined(const std::vector<Grouped>& all, Grouped::List Grouped::*list) {
  std::vector<Grouped> out;
  for (const Grouped& one : all) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const Grouped& other) {
      const auto agrees = [&](Grouped::List Grouped::*part) { return part == list || one.*part == other.*part; };
      return agrees(&Grouped::strategies) && agrees(&Grouped::ratios) && agrees(&Grouped::settings);
    });
    if (same == out.end()) {
      out.push_back(one);
      continue;
    }
    Grouped::List& items = (*same).*list;
    const std::string& item = (one.*list).front();
    if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(item);
  }
  return out;
}

/// A cell's task, with the dimensions that tell the cells apart beside it.
std::string setting_of(const TableCell& cell, const std::vector<std::string>& dimensions) {
  std::string out = cell.task;
  for (const std::string& name : dimensions) out += fmt::format(" ({} {})", name, dimension(cell, name));
  return out;
}

std::vector<std::string> varying(const std::vector<const TableCell*>& cells, std::vector<std::string> dimensions) {
  std::erase_if(dimensions, [&](const std::string& name) {
    const std::string first = dimension(*cells.front(), name);
    return std::all_of(cells.begin(), cells.end(),
                       [&](const TableCell* cell) { return dimension(*cell, name) == first; });
  });
  return dimensions;
}

/// A budget that takes in every row that could change leaves a selector nothing to be judged by.
void warn_of_full_budgets(const std::vector<const TableCell*>& cells, std::vector<std::string>& warnings) {
  std::vector<const TableCell*> covered;
  std::copy_if(cells.begin(), cells.end(), std::back_inserter(covered), [](const TableCell* cell) {
    return !cell->observations.empty() && std::all_of(cell->observations.begin(), cell->observations.end(),
                                                      [](const Observation& o) { return o.equals_full; });
  });
  if (covered.empty()) return;
  std::stable_sort(covered.begin(), covered.end(),
                   [](const TableCell* a, const TableCell* b) { return *a->record.ratio < *b->record.ratio; });
  const auto told_apart = varying(cells, {"model", "chunker"});
  std::vector<Grouped> groups;
  for (const auto* cell : covered) {
    const std::string ratio = heading("ratio", format_number(*cell->record.ratio));
    groups.push_back({{cell->strategy}, {ratio}, {setting_of(*cell, told_apart)}});
  }
  for (const auto list : {&Grouped::strategies, &Grouped::settings, &Grouped::ratios}) groups = joined(groups, list);
  const bool one = groups.size() == 1 && groups.front().strategies.size() == 1;
  std::string parts;
  for (std::size_t i = 0; i < std::min(groups.size(), most_listed); ++i) {
    const Grouped& group = groups[i];
    parts += fmt::format("{}{} at {} on {}", i ? "; " : "", fmt::join(group.strategies, ", "),
                         fmt::join(group.ratios, ", "), fmt::join(group.settings, ", "));
  }
  if (groups.size() > most_listed) parts += fmt::format("; and others in {} more places", groups.size() - most_listed);
  warnings.push_back(fmt::format("{} {} every token that is not exact: {} full prefill by construction", parts,
                                 one ? "recomputes" : "recompute", one ? "it equals" : "they equal"));
}

void warn_of_failures(const std::vector<const TableCell*>& cells, std::vector<std::string>& warnings) {
  std::size_t listed = 0, more = 0;
  for (const auto* cell : cells) {
    if (cell->failed == 0) continue;
    if (listed++ >= most_listed) {
      ++more;
      continue;
    }
    warnings.push_back(fmt::format("{}: {} failed: {}", place(*cell),
                                   cell->failed == 1 ? "1 sample" : fmt::format("{} samples", cell->failed),
                                   cell->first_error));
  }
  if (more > 0) warnings.push_back(fmt::format("samples failed in {} more cells", more));
}

/// What tasks said about their data, of those that are shown.
void add_task_notes(const TableData& data, const std::vector<const TableCell*>& cells,
                    std::vector<std::string>& warnings) {
  for (const std::string& note : data.notes) {
    const bool shown = std::any_of(cells.begin(), cells.end(), [&](const TableCell* cell) {
      return note.starts_with(cell->record.task + ":") || note.starts_with(cell->record.task + " (");
    });
    if (shown) warnings.push_back(note);
  }
}

/// "1" or "1 to 3".
std::string range(std::size_t fewest, std::size_t most) {
  return fewest == most ? fmt::format("{}", most) : fmt::format("{} to {}", fewest, most);
}

/// How much of what runs wanted is there; a cell that has not begun is in no figure, so it is named here. A cell stands for each of
/// its groups, and counts once.
void warn_of_incomplete(const std::vector<const TableCell*>& cells, const std::vector<const TableCell*>& unstarted,
                        std::vector<std::string>& warnings) {
  std::size_t there = 0, wanted = 0, fewest = std::numeric_limits<std::size_t>::max(), most = 0, incomplete = 0;
  std::set<std::string> seen;
  for (const auto* cell : cells) {
    const std::size_t has = cell->observations.size() + static_cast<std::size_t>(cell->failed);
    if (cell->wanted <= 0 || !seen.insert(cell->record.key + cell->evidence).second) continue;
    const auto asked = static_cast<std::size_t>(cell->wanted);
    there += std::min(has, asked);
    wanted += asked;
    if (has >= asked) continue;
    ++incomplete;
    fewest = std::min(fewest, has);
    most = std::max(most, has);
  }
  std::vector<std::string> names;
  for (const auto* cell : unstarted) {
    if (!seen.insert(cell->record.key).second) continue;
    wanted += static_cast<std::size_t>(cell->wanted);
    names.push_back(place(*cell));
  }
  if (incomplete == 0 && names.empty()) return;
  std::string parts;
  if (incomplete > 0)
    parts = fmt::format("{} of {} cells that have begun lack samples (they have {})", incomplete, cells.size(),
                        range(fewest, most));
  if (!names.empty()) parts += (parts.empty() ? "not started: " : "; not started: ") + listed(names, most_listed);
  warnings.push_back(fmt::format("incomplete: {} of {} results: {}; run again to go on", there, wanted, parts));
}

/// Cells of one task with different samples are not comparable; while a run goes on that is as it should be.
void warn_of_uneven(const std::vector<const TableCell*>& cells, std::vector<std::string>& warnings) {
  std::map<std::string, std::set<std::size_t>> by_prompts;
  for (const auto* cell : cells) by_prompts[cell->record.prompts + cell->evidence].insert(cell->observations.size());
  const bool uneven =
      std::any_of(by_prompts.begin(), by_prompts.end(), [](const auto& p) { return p.second.size() > 1; });
  if (uneven)
    warnings.push_back(
        "strategies were measured on different numbers of samples: compare them with `kvmend compare`, which pairs");
}

}  // namespace

void add_note(StrategyNotes& notes, const std::string& label, const std::string& note) {
  const std::pair entry(label, note);
  if (!note.empty() && std::find(notes.begin(), notes.end(), entry) == notes.end()) notes.push_back(entry);
}

StrategyNotes strategy_notes(const std::vector<const TableCell*>& cells) {
  StrategyNotes notes;
  for (const auto* cell : cells) add_note(notes, cell->strategy, cell->note);
  return notes;
}

std::vector<std::string> table_warnings(const TableData& data, const std::vector<const TableCell*>& cells,
                                        bool shows_times, const std::vector<const TableCell*>& unstarted) {
  std::vector<std::string> warnings;
  warn_of_idle_tasks(data.cells, cells, warnings);
  warn_of_full_budgets(cells, warnings);
  warn_of_failures(cells, warnings);
  warn_of_incomplete(cells, unstarted, warnings);
  warn_of_uneven(cells, warnings);
  add_task_notes(data, cells, warnings);
  if (data.builds.size() > 1) {
    std::string builds;
    for (const auto& build : data.builds) builds += (builds.empty() ? "" : "; ") + build;
    warnings.push_back(fmt::format("results of {} builds are mixed: {}", data.builds.size(), builds));
  }
  const bool shared = std::any_of(cells.begin(), cells.end(), [](const TableCell* cell) {
    return std::any_of(cell->observations.begin(), cell->observations.end(),
                       [](const Observation& o) { return o.shared_timing; });
  });
  if (shows_times && shared) {
    warnings.push_back(
        "times were read off a sweep whose strategies share work; `kvmend bench select` measures each alone");
  }
  return warnings;
}

}  // namespace kvmend
