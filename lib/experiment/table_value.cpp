#include "experiment/table_value.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>

#include "core/error.h"

namespace kvmend {
namespace {

using Field = std::function<double(const Observation&)>;

struct ValueKind {
  TableValue value;
  bool is_time;
  Field field;  ///< empty: computed otherwise
};

const std::vector<ValueKind>& kinds() {
  static const std::vector<ValueKind> all = {
      {{"score", "the task's metric, times 100"}, false, [](const Observation& o) { return o.score; }},
      {{"effective_ratio", "layer-tokens computed, over all"},
       false,
       [](const Observation& o) { return o.effective_ratio; }},
      {{"flops_ratio", "FLOPs with probes and query, relative to full prefill"},
       false,
       [](const Observation& o) { return o.flops_ratio; }},
      {{"ttft_ratio", "time to first token relative to full prefill's, median"}, true, {}},
      {{"ttft", "time to first token, median seconds"}, true, [](const Observation& o) { return o.seconds.ttft(); }},
      {{"load", "seconds to load the caches, median"}, true, [](const Observation& o) { return o.seconds.load; }},
      {{"place", "seconds to place them, median"}, true, [](const Observation& o) { return o.seconds.place; }},
      {{"select", "seconds to select, median"}, true, [](const Observation& o) { return o.seconds.select; }},
      {{"recompute", "seconds to recompute, median"}, true, [](const Observation& o) { return o.seconds.recompute; }},
      {{"query", "seconds to prefill the query, median"}, true, [](const Observation& o) { return o.seconds.query; }},
      {{"first_token", "seconds to the first token's choice, median"},
       true,
       [](const Observation& o) { return o.seconds.first_token; }},
      {{"decode", "seconds to decode the answer, median"}, true, [](const Observation& o) { return o.decode_seconds; }},
      {{"flops", "FLOPs up to the first token"}, false, [](const Observation& o) { return o.flops; }},
      {{"layer_tokens", "context rows computed, summed over layers"},
       false,
       [](const Observation& o) { return o.layer_tokens; }},
      {{"bytes", "bytes read and written"}, false, [](const Observation& o) { return o.bytes; }},
      {{"n", "samples"}, false, {}},
  };
  return all;
}

const ValueKind& find_kind(const std::string& name) {
  const auto found =
      std::find_if(kinds().begin(), kinds().end(), [&](const ValueKind& k) { return k.value.name == name; });
  require(found != kinds().end(), "no table value '{}'", name);
  return *found;
}

TaskValues values_of(const TableCell& cell, const Field& field) {
  TaskValues out;
  for (const auto& o : cell.observations) {
    out.values.push_back(field(o));
    out.clusters.push_back(o.cluster);
  }
  return out;
}

/// TTFT over full prefill's, sample by sample: lengths differ between samples, ratios can be compared.
TaskValues ttft_ratios(const TableCell& cell, const TableCell& full) {
  std::unordered_map<std::string, double> reference;
  for (const auto& o : full.observations) reference[o.sample] = o.seconds.ttft();
  TaskValues out;
  for (const auto& o : cell.observations) {
    const auto found = reference.find(o.sample);
    if (found == reference.end() || !(found->second > 0)) continue;
    out.values.push_back(o.seconds.ttft() / found->second);
    out.clusters.push_back(o.cluster);
  }
  return out;
}

std::string place_of(const TableCell& cell, const std::string& strategy) {
  const CellRecord& r = cell.record;
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", strategy, r.prompts, r.weights, r.dtype, r.backend, r.load_from);
}

}  // namespace

const std::vector<TableValue>& table_values() {
  static const std::vector<TableValue> values = [] {
    std::vector<TableValue> out;
    for (const auto& kind : kinds()) out.push_back(kind.value);
    return out;
  }();
  return values;
}

bool is_time_value(const std::string& value) { return find_kind(value).is_time; }

References::References(const std::vector<TableCell>& cells) {
  for (const auto& cell : cells) {
    const std::string& name = cell.record.strategy;
    if (name == "full" || name == "no_context") cells_.emplace(place_of(cell, name), &cell);
  }
}
const TableCell* References::find(const TableCell& cell, const char* strategy) const {
  const auto found = cells_.find(place_of(cell, strategy));
  return found == cells_.end() ? nullptr : found->second;
}
const TableCell* References::full(const TableCell& cell) const { return find(cell, "full"); }
const TableCell* References::no_context(const TableCell& cell) const { return find(cell, "no_context"); }

std::optional<Estimate> estimate_value(const std::string& value, const std::vector<const TableCell*>& cells,
                                       const References& references) {
  const ValueKind& kind = find_kind(value);
  std::vector<TaskValues> tasks;
  for (const auto* cell : cells) {
    if (value == "ttft_ratio") {
      const TableCell* full = references.full(*cell);
      if (!full) return std::nullopt;
      tasks.push_back(ttft_ratios(*cell, *full));
    } else {
      tasks.push_back(values_of(*cell, value == "n" ? kinds().front().field : kind.field));
    }
  }
  Estimate estimate = kind.is_time ? estimate_median(tasks) : estimate_mean(tasks, {.proportions = value == "score"});
  if (estimate.n == 0) return std::nullopt;
  if (value == "n") estimate = {static_cast<double>(estimate.n), estimate.n, std::nullopt};
  return estimate;
}

TaskValues paired_difference(const TableCell& a, const TableCell& b) {
  std::unordered_map<std::string, double> other;
  for (const auto& o : b.observations) other[o.sample] = o.score;
  TaskValues out;
  for (const auto& o : a.observations) {
    const auto found = other.find(o.sample);
    if (found == other.end()) continue;
    out.values.push_back(o.score - found->second);
    out.clusters.push_back(o.cluster);
  }
  return out;
}

}  // namespace kvmend
