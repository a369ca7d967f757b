#include "experiment/table/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "experiment/table/dimension.h"
#include "experiment/table/group.h"
#include "experiment/table/marks.h"
#include "experiment/table/tasks.h"
#include "experiment/table/value.h"

namespace kvmend {
namespace {

using Cells = std::vector<const TableCell*>;
using Key = std::vector<std::string>;

Key key_of(const TableCell& cell, const std::vector<std::string>& dimensions) {
  Key key;
  for (const auto& name : dimensions) key.push_back(dimension(cell, name));
  return key;
}

bool varies(const Cells& cells, const std::string& name) {
  std::set<std::string> values;
  for (const auto* cell : cells) {
    const std::string value = dimension(*cell, name);
    if (name == "ratio" && value.empty()) continue;
    values.insert(value);
  }
  return values.size() > 1;
}

/// Whether cells that would fall into one figure differ in a dimension.
bool mixes(const Cells& cells, const std::vector<std::string>& dimensions, const std::string& name) {
  std::map<Key, std::string> values;
  return std::any_of(cells.begin(), cells.end(), [&](const TableCell* cell) {
    std::string value = dimension(*cell, name);
    const auto [at, fresh] = values.emplace(key_of(*cell, dimensions), value);
    return !fresh && at->second != value;
  });
}

/// Only tasks are averaged: whatever else would be mixed in one figure goes to the rows; a cell's key as the last resort.
void separate(Table& table, const Cells& cells) {
  std::vector<std::string> used = table.row_dimensions;
  used.insert(used.end(), table.col_dimensions.begin(), table.col_dimensions.end());
  used.emplace_back("task");
  for (const char* name :
       {"strategy", "ratio", "model", "chunker", "dtype", "backend", "chat", "load_from", "tokenize", "system",
        "max_new_tokens", "keep_bos", "keep_answer_space", "data", "tokenizer", "evidence", "key"}) {
    if (!mixes(cells, used, name)) continue;
    table.row_dimensions.emplace_back(name);
    used.emplace_back(name);
  }
}

/// Keys in the order first met; a ratio sorts by number, baselines without one first.
std::vector<Key> ordered_keys(const Cells& cells, const std::vector<std::string>& dimensions) {
  std::vector<Key> keys;
  for (const auto* cell : cells) {
    const Key key = key_of(*cell, dimensions);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  }
  std::vector<std::map<std::string, std::size_t>> ranks(dimensions.size());
  for (const auto& key : keys) {
    for (std::size_t d = 0; d < key.size(); ++d) ranks[d].emplace(key[d], ranks[d].size());
  }
  const auto rank = [&](std::size_t d, const std::string& value) -> double {
    const auto number = parse_number(value);
    if (number) return *number;
    if (value.empty()) return -1;
    return static_cast<double>(ranks[d].at(value));
  };
  std::stable_sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    for (std::size_t d = 0; d < a.size(); ++d) {
      if (a[d] != b[d]) return rank(d, a[d]) < rank(d, b[d]);
    }
    return false;
  });
  return keys;
}

/// The one value that all cells share, or none.
template <class F>
auto common(const Cells& cells, F&& get) -> std::optional<decltype(get(*cells.front()))> {
  for (const auto* cell : cells) {
    if (get(*cell) != get(*cells.front())) return std::nullopt;
  }
  return get(*cells.front());
}

double mean_over_tasks(const Cells& cells, double Observation::*field) {
  double sum = 0;
  int tasks = 0;
  for (const auto* cell : cells) {
    if (cell->observations.empty()) continue;
    double task_sum = 0;
    for (const auto& o : cell->observations) task_sum += o.*field;
    sum += task_sum / static_cast<double>(cell->observations.size());
    ++tasks;
  }
  return tasks ? sum / tasks : std::numeric_limits<double>::quiet_NaN();
}

TableEntry describe(const Cells& cells, const Estimate& estimate) {
  TableEntry entry;
  entry.estimate = estimate;
  entry.effective_ratio = mean_over_tasks(cells, &Observation::effective_ratio);
  entry.flops_ratio = mean_over_tasks(cells, &Observation::flops_ratio);
  entry.strategy = common(cells, [](const TableCell& c) { return c.strategy; });
  entry.task = common(cells, [](const TableCell& c) { return c.group.empty() ? c.task : c.group; });
  entry.model = common(cells, [](const TableCell& c) { return c.model; });
  entry.chunker = common(cells, [](const TableCell& c) { return dimension(c, "chunker"); });
  entry.ratio = common(cells, [](const TableCell& c) { return c.record.ratio; }).value_or(std::nullopt);
  if (entry.strategy) entry.params = cells.front()->params;
  return entry;
}

/// In the default view an effective ratio is news only where it is not the nominal one (over 5 % apart).
bool is_news(const TableEntry& entry) {
  const double effective = entry.effective_ratio;
  if (!entry.ratio) return effective > 0 && effective < 1;
  if (*entry.ratio == 0) return effective > 0;
  return std::abs(effective - *entry.ratio) > 0.05 * *entry.ratio;
}

bool is_empty(const TableBlock& block) {
  for (const auto& row : block.entries) {
    for (const auto& entry : row) {
      if (entry) return false;
    }
  }
  return true;
}

/// Why a value that is made of selections has no figure.
std::string nothing_selected(const std::string& value, const std::string& oracle) {
  const std::string add = oracle.empty() || value == "evidence"
                              ? ""
                              : fmt::format(" (add {} to strategies; --oracle names another)", oracle);
  return fmt::format("{} has nothing to show: it needs {}'s cells over the same prompts{}{}", value,
                     oracle.empty() ? "the --oracle" : oracle,
                     value == "crowding_out" ? ", with their scores (store: {scores: true})" : "", add);
}

}  // namespace

Table make_table(const TableData& given, const TableQuery& query) {
  const auto names_group = [](const auto& names) {
    return std::find(names.begin(), names.end(), "group") != names.end();
  };
  std::optional<TableData> split;
  if (names_group(query.rows) || names_group(query.cols)) split = split_by_group(given);
  const TableData& data = split ? *split : given;
  const Cells cells = filter_cells(data, query);
  const References references(data.cells);
  Table table;
  table.row_dimensions = query.rows;
  table.col_dimensions = query.cols;
  separate(table, cells);
  table.rows = ordered_keys(cells, table.row_dimensions);
  table.cols = ordered_keys(cells, table.col_dimensions);
  for (const char* name : {"model", "dtype", "backend", "chunker"}) {
    if (!varies(cells, name)) table.constant.emplace_back(name, dimension(*cells.front(), name));
  }
  if (!data.metric.empty()) table.constant.emplace_back("metric", data.metric);
  for (const auto* cell : cells) {
    if (std::find(table.tasks.begin(), table.tasks.end(), cell->task) == table.tasks.end())
      table.tasks.push_back(cell->task);
  }

  // Cells by row and column.
  std::vector<std::vector<Cells>> groups(table.rows.size(), std::vector<Cells>(table.cols.size()));
  std::map<Key, std::size_t> row_of, col_of;
  for (std::size_t i = 0; i < table.rows.size(); ++i) row_of[table.rows[i]] = i;
  for (std::size_t i = 0; i < table.cols.size(); ++i) col_of[table.cols[i]] = i;
  for (const auto* cell : cells)
    groups[row_of[key_of(*cell, table.row_dimensions)]][col_of[key_of(*cell, table.col_dimensions)]].push_back(cell);

  const bool default_view = query.values.empty();
  const std::vector<std::string> values =
      default_view ? std::vector<std::string>{"score", "flops_ratio", "effective_ratio", "ttft_ratio"} : query.values;
  bool shows_times = false;
  std::vector<std::string> refusals;
  for (const auto& value : values) {
    TableBlock block{value, !default_view || value == "score", {}, ""};
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      auto& line = block.entries.emplace_back(table.cols.size());
      for (std::size_t c = 0; c < table.cols.size(); ++c) {
        if (groups[r][c].empty()) continue;
        std::string refusal;
        const auto estimate = estimate_value(value, groups[r][c], references, query.interval, refusal);
        if (!refusal.empty() && std::find(refusals.begin(), refusals.end(), refusal) == refusals.end())
          refusals.push_back(refusal);
        if (!estimate) continue;
        TableEntry entry = describe(groups[r][c], *estimate);
        if (default_view && value == "effective_ratio" && !is_news(entry)) continue;
        line[c] = std::move(entry);
      }
    }
    if (is_empty(block)) {
      if (default_view && value != "score") continue;
      if (is_selection_value(value)) refusals.push_back(nothing_selected(value, data.reference));
    }
    if (query.mark && is_quality_value(value))
      mark_best(block, references, [&](std::size_t r, std::size_t c) -> const Cells& { return groups[r][c]; });
    shows_times = shows_times || is_time_value(value);
    table.blocks.push_back(std::move(block));
  }
  table.notes = strategy_notes(cells);
  table.warnings = table_warnings(data, cells, shows_times, unstarted_cells(data, query));
  for (std::string& warning : group_warnings(cells)) table.warnings.push_back(std::move(warning));
  for (std::string& warning : task_set_warnings(table, cells)) table.warnings.push_back(std::move(warning));
  table.warnings.insert(table.warnings.end(), refusals.begin(), refusals.end());
  return table;
}

}  // namespace kvmend
