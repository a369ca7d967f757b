#include "experiment/store/run_facts.h"

#include <algorithm>
#include <set>

namespace kvmend {
namespace {

std::int64_t int_or(const Value& map, std::string_view key, std::int64_t otherwise) {
  const Value* value = map.find(key);
  return value && value->is_int() ? value->as_int() : otherwise;
}

std::string text_or_empty(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value && value->is_string() ? value->as_string() : "";
}

/// A strategy's canonical parameters name it; those of a composition hold its parts' as well. It comes first.
void collect(const Value& value, std::vector<StrategyVersion>& out) {
  if (value.is_list()) {
    for (const Value& item : value.as_list()) collect(item, out);
  } else if (value.is_map()) {
    if (const std::string name = text_or_empty(value, "strategy"); !name.empty())
      out.emplace_back(name, int_or(value, "version", 0));
    for (const auto& entry : value.as_map()) collect(entry.value, out);
  }
}

}  // namespace

Value describe_strategies(const Config& config) {
  std::vector<StrategyVersion> used;
  for (const StrategyVariant& variant : config.strategies) collect(variant.strategy->canonical, used);
  std::set<std::string> names;
  for (const auto& [name, version] : used) names.insert(name);
  Value out = Value::Map{};
  for (const StrategyInfo& info : list_strategies()) {
    if (!names.contains(info.name)) continue;
    Value entry = Value::Map{};
    entry.set("version", info.version);
    entry.set("source", info.source);
    entry.set("labels", info.labels);
    if (!info.note.empty()) entry.set("note", info.note);
    out.set(info.name, entry);
  }
  return out;
}

std::string with_note(const std::string& label, const std::string& note) {
  return note.empty() ? label : label + " (" + note.substr(0, note.find(';')) + ")";
}

RunFacts::RunFacts(Store& store) {
  for (const StrategyInfo& info : list_strategies()) words_[{info.name, info.version}] = {info.labels, info.note};
  std::vector<RunRecord> runs = store.runs();  // merged ones in the order of the merge
  std::stable_sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.started < b.started; });
  for (const RunRecord& run : runs) {
    if (const Value* model = run.models.find("model")) {
      const std::int64_t bytes = int_or(*model, "kv_bytes_per_token", 0);
      if (bytes > 0)
        kv_bytes_[{text_or_empty(*model, "weights"), text_or_empty(run.canonical, "dtype")}] =
            static_cast<double>(bytes);
    }
    const Value* strategies = run.models.find("strategies");
    if (!strategies || !strategies->is_map()) continue;
    for (const auto& entry : strategies->as_map())
      words_[{entry.key, int_or(entry.value, "version", 0)}] = {text_or_empty(entry.value, "labels"),
                                                                text_or_empty(entry.value, "note")};
  }
}

RunFacts::Words RunFacts::words(const StrategyVersion& strategy) const {
  const auto found = words_.find(strategy);
  return found == words_.end() ? Words{} : found->second;
}

std::string RunFacts::labels(const CellRecord& cell) const {
  return words({cell.strategy, int_or(cell.params, "version", 0)}).labels;
}

std::string RunFacts::note(const CellRecord& cell) const {
  const std::string own = words({cell.strategy, int_or(cell.params, "version", 0)}).note;
  if (!own.empty()) return own;
  std::vector<StrategyVersion> used;
  collect(cell.params, used);
  for (const StrategyVersion& part : used) {
    const std::string note = words(part).note;
    if (!note.empty()) return part.first + ": " + note;
  }
  return "";
}

std::optional<double> RunFacts::kv_bytes_per_token(const CellRecord& cell) const {
  const auto found = kv_bytes_.find({cell.weights, cell.dtype});
  return found == kv_bytes_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace kvmend
