#include "experiment/store/sweep_mixing.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/error.h"
#include "experiment/text/labels.h"
#include "experiment/text/value_difference.h"

namespace kvmend {
namespace {

/// Settings by what they hash to.
using Settings = std::map<std::string, Value>;

/// Everything that all strategies, ratios and tasks of a run have in common.
Value settings_of_run(const CellRecord& cell) {
  Value out = cell.canonical;
  for (const char* own : {"strategy", "ratio", "task"}) out.erase(own);
  return out;
}

/// {version, data, and the task's parameters}, as one map: that is how a config writes them.
Value settings_of_task(const CellRecord& cell) {
  Value out = Value::Map{};
  const Value* task = cell.canonical.find("task");
  if (!task) return out;
  for (const char* key : {"version", "data"}) {
    if (const Value* value = task->find(key)) out.set(key, *value);
  }
  if (const Value* params = task->find("params"); params && params->is_map()) {
    for (const auto& entry : params->as_map()) out.set(entry.key, entry.value);
  }
  return out;
}

/// The wanted settings that the store lacks beside those it has and that are wanted no more; each with the nearest of these.
/// Only where both happen were some exchanged for others: what is only added widens the grid.
std::vector<ValueDifference> exchanged(const Settings& held, const Settings& wanted) {
  std::vector<ValueDifference> nearest;
  for (const auto& [new_key, fresh] : wanted) {
    if (held.contains(new_key)) continue;
    for (const auto& [old_key, old] : held) {
      if (wanted.contains(old_key)) continue;
      std::vector<ValueDifference> found = entry_differences(old, fresh);
      if (nearest.empty() || found.size() < nearest.size()) nearest = std::move(found);
    }
  }
  return nearest;
}

/// Weights and tokenizers are hashes: the name that configs give the model says more, where it is another.
void name_models(std::vector<ValueDifference>& differences, const CellRecord& held, const CellRecord& wanted) {
  const auto is = [](const char* key) { return [key](const ValueDifference& d) { return d.path == key; }; };
  if (std::none_of(differences.begin(), differences.end(), is("weights")) || held.model == wanted.model) return;
  std::erase_if(differences, is("weights"));
  std::erase_if(differences, is("tokenizer"));
  differences.insert(differences.begin(), {"model", held.model, wanted.model});
}

std::string in_words(const std::vector<ValueDifference>& differences) {
  std::string out;
  const auto value = [](const std::string& text) { return text.empty() ? "empty" : text == "null" ? "not set" : text; };
  for (const ValueDifference& d : differences)
    out += fmt::format("{}{} is {} there and {} now", out.empty() ? "" : ", ", d.path, value(d.a), value(d.b));
  return out;
}

/// A condition that `kvmend table --where` takes and that only one side of a difference meets; empty: none does.
std::string condition(const std::vector<ValueDifference>& differences) {
  const std::set<std::string> no_dimension = {"version", "weights", "tokenizer"};
  for (const ValueDifference& d : differences) {
    if (no_dimension.contains(d.path)) continue;
    for (const std::string& value : {d.b, d.a}) {
      const bool whole = !value.empty() && value != "null" && value != "nothing" && !value.ends_with("…");
      if (whole) return d.path + "=" + value;
    }
  }
  return "";
}

/// Cells of the store that have results: only these can be averaged with others.
std::vector<CellRecord> computed_cells(Store& store) {
  std::set<std::int64_t> computed;
  Statement rows = store.database().prepare("SELECT DISTINCT cell FROM results");
  while (rows.step()) computed.insert(rows.integer(0));
  std::vector<CellRecord> out;
  const auto ids = store.cell_ids();
  std::size_t i = 0;
  for (CellRecord& cell : store.cells()) {
    if (computed.contains(ids[i++])) out.push_back(std::move(cell));
  }
  return out;
}

}  // namespace

std::string mixing_warning(Store& store, std::span<const CellRecord> wanted) {
  const std::vector<CellRecord> held = computed_cells(store);
  if (held.empty() || wanted.empty()) return "";
  const auto settings = [](std::span<const CellRecord> cells, const std::string& task, const auto& of) {
    Settings out;
    for (const CellRecord& cell : cells) {
      if (!task.empty() && cell.task != task) continue;
      Value value = of(cell);
      std::string key = value.canonical();
      out.emplace(std::move(key), std::move(value));
    }
    return out;
  };
  std::vector<std::string> parts;
  std::vector<ValueDifference> all =
      exchanged(settings(held, "", settings_of_run), settings(wanted, "", settings_of_run));
  name_models(all, held.back(), wanted.front());
  if (!all.empty()) parts.push_back(in_words(all));
  std::map<std::string, std::vector<std::string>> tasks;  // by what changed in them
  std::set<std::string> seen;
  for (const CellRecord& cell : wanted) {
    if (!seen.insert(cell.task).second) continue;
    const auto differences =
        exchanged(settings(held, cell.task, settings_of_task), settings(wanted, cell.task, settings_of_task));
    if (differences.empty()) continue;
    tasks[in_words(differences)].push_back(cell.task);
    all.insert(all.end(), differences.begin(), differences.end());
  }
  for (const auto& [words, names] : tasks) parts.push_back(listed(names, names.size() == 4 ? 4 : 3) + ": " + words);
  if (parts.empty()) return "";
  const std::string name = store.path().string(), where = condition(all);
  return fmt::format(
      "{} holds results of other settings, which stay beside this run's: {}. To keep them apart: {}a store of its own "
      "(-o FILE)",
      name, fmt::join(parts, "; "),
      where.empty() ? "" : fmt::format("`kvmend table {} --where '{}'`, or ", name, where));
}

}  // namespace kvmend
