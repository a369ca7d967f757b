#include "experiment/run_facts.h"

#include <algorithm>
#include <set>

namespace kvmend {
namespace {

/// A strategy's canonical parameters name it; those of a composition hold its parts' as well.
void collect_names(const Value& value, std::set<std::string>& names) {
  if (value.is_list()) {
    for (const Value& item : value.as_list()) collect_names(item, names);
  } else if (value.is_map()) {
    const Value* name = value.find("strategy");
    if (name && name->is_string()) names.insert(name->as_string());
    for (const auto& entry : value.as_map()) collect_names(entry.value, names);
  }
}

std::int64_t int_or(const Value& map, std::string_view key, std::int64_t otherwise) {
  const Value* value = map.find(key);
  return value && value->is_int() ? value->as_int() : otherwise;
}

std::string text_or_empty(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value && value->is_string() ? value->as_string() : "";
}

}  // namespace

Value describe_strategies(const Config& config) {
  std::set<std::string> names;
  for (const StrategyVariant& variant : config.strategies) collect_names(variant.strategy->canonical, names);
  Value out = Value::Map{};
  for (const StrategyInfo& info : list_strategies()) {
    if (!names.contains(info.name)) continue;
    Value entry = Value::Map{};
    entry.set("version", info.version);
    entry.set("source", info.source);
    entry.set("labels", info.labels);
    out.set(info.name, entry);
  }
  return out;
}

RunFacts::RunFacts(Store& store) {
  for (const StrategyInfo& info : list_strategies()) labels_[{info.name, info.version}] = info.labels;
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
      labels_[{entry.key, int_or(entry.value, "version", 0)}] = text_or_empty(entry.value, "labels");
  }
}

std::string RunFacts::labels(const CellRecord& cell) const {
  const auto found = labels_.find({cell.strategy, int_or(cell.params, "version", 0)});
  return found == labels_.end() ? "" : found->second;
}

std::optional<double> RunFacts::kv_bytes_per_token(const CellRecord& cell) const {
  const auto found = kv_bytes_.find({cell.weights, cell.dtype});
  return found == kv_bytes_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace kvmend
