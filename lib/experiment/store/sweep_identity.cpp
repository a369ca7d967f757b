#include "experiment/store/sweep_identity.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "experiment/text/value_difference.h"

namespace kvmend {
namespace {

/// Without what does not change a result: shards may run on other machines, and with more samples.
Value comparable(Value config) {
  for (const char* key : {"name", "device", "threads", "weights", "cache"}) config.erase(key);
  for (auto& entry : config.map()) {
    if (entry.key != "tasks") continue;
    for (Value& task : entry.value.list()) task.erase("samples");
  }
  return config;
}

/// Where the same config meant other cells: weights, tokenizer, data.
std::optional<ValueDifference> cell_difference(const SweepIdentity& a, const SweepIdentity& b) {
  for (const auto& [key, cell] : a.cells) {
    if (b.cells.contains(key)) continue;
    for (const auto& [other_key, other] : b.cells) {
      const bool twin = other.label == cell.label && other.ratio == cell.ratio && other.task == cell.task &&
                        other.chunker.canonical() == cell.chunker.canonical() &&
                        other.task_params.canonical() == cell.task_params.canonical();
      if (twin) return first_difference(cell.canonical, other.canonical);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<SweepIdentity> identify_sweep(Store& store) {
  const auto runs = store.runs();
  if (runs.empty()) return std::nullopt;
  SweepIdentity out;
  out.store = store.path();
  out.config = runs.back().canonical;
  std::set<std::int64_t> wanted;
  Statement rows = store.database().prepare("SELECT cell FROM run_cells WHERE run = ?");
  rows.bind(runs.back().id);
  while (rows.step()) wanted.insert(rows.integer(0));
  const auto ids = store.cell_ids();
  std::size_t i = 0;
  for (CellRecord& cell : store.cells()) {
    if (wanted.contains(ids[i++])) out.cells.emplace(cell.key, std::move(cell));
  }
  if (out.cells.empty()) return std::nullopt;
  return out;
}

void require_same_sweep(const SweepIdentity& a, const SweepIdentity& b) {
  const auto has_key_of = [](const auto& other) {
    return [&](const auto& cell) { return other.contains(cell.first); };
  };
  if (a.cells.size() == b.cells.size() && std::all_of(a.cells.begin(), a.cells.end(), has_key_of(b.cells))) return;
  auto difference = first_difference(comparable(a.config), comparable(b.config));
  if (!difference) difference = cell_difference(a, b);
  fail(ErrorKind::usage,
       "{} and {} are not of one sweep{}; --mixed merges them all the same (`kvmend table` reads several stores, too)",
       a.store.string(), b.store.string(),
       difference
           ? fmt::format(": {} is {} in the first and {} in the second", difference->path, difference->a, difference->b)
           : "");
}

}  // namespace kvmend
