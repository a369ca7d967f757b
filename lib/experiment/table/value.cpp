#include "experiment/table/value.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>

#include "core/error.h"

namespace kvmend {
namespace {

using Field = std::function<double(const Observation&)>;

enum class Kind : std::uint8_t { mean, time, selection, own };

struct ValueKind {
  TableValue value;
  Kind kind;
  Field field;  ///< empty: computed otherwise
};

const std::vector<ValueKind>& kinds() {
  using O = const Observation&;
  static const std::vector<ValueKind> all = {
      {{"score", "the task's metric, times 100"}, Kind::mean, [](O o) { return o.score; }},
      {{"pgr", "of the gap between no_context and full, the share kept"}, Kind::own, {}},
      {{"score_solved", "score on the samples that full prefill solves: scores 0.5 or more on"}, Kind::own, {}},
      {{"effective_ratio", "layer-tokens computed, over all"}, Kind::mean, [](O o) { return o.effective_ratio; }},
      {{"flops_ratio", "FLOPs with probes and query, relative to full prefill"},
       Kind::mean,
       [](O o) { return o.flops_ratio; }},
      {{"ttft_ratio", "time to first token relative to full prefill's, median"},
       Kind::time,
       [](O o) { return o.seconds.ttft(); }},
      {{"select_ratio", "time to select relative to full prefill's time to first token, median"},
       Kind::time,
       [](O o) { return o.seconds.select; }},
      {{"ttft", "time to first token, median seconds"}, Kind::time, [](O o) { return o.seconds.ttft(); }},
      {{"load", "seconds to load the caches, median"}, Kind::time, [](O o) { return o.seconds.load; }},
      {{"place", "seconds to place them, median"}, Kind::time, [](O o) { return o.seconds.place; }},
      {{"select", "seconds to select, median"}, Kind::time, [](O o) { return o.seconds.select; }},
      {{"recompute", "seconds to recompute, median"}, Kind::time, [](O o) { return o.seconds.recompute; }},
      {{"query", "seconds to prefill the query, median"}, Kind::time, [](O o) { return o.seconds.query; }},
      {{"first_token", "seconds to the first token's choice, median"},
       Kind::time,
       [](O o) { return o.seconds.first_token; }},
      {{"decode", "seconds to decode the answer, median"}, Kind::time, [](O o) { return o.decode_seconds; }},
      {{"flops", "FLOPs up to the first token"}, Kind::mean, [](O o) { return o.flops; }},
      {{"decode_flops", "FLOPs of recomputing behind the first token (kvshare's second stage), in no other value"},
       Kind::mean,
       [](O o) { return o.decode_flops; }},
      {{"layer_tokens", "context rows computed, summed over layers"}, Kind::mean, [](O o) { return o.layer_tokens; }},
      {{"bytes", "bytes read and written"}, Kind::mean, [](O o) { return o.bytes; }},
      {{"exact_selected",
        "share of the context that was selected though it was exact already: budget spent on nothing"},
       Kind::mean,
       [](O o) { return o.exact_selected; }},
      {{"kept", "share of the context's rows left in the cache (samkv drops the others)"},
       Kind::mean,
       [](O o) { return o.kept; }},
      {{"memory_saved", "bytes of KV cache that dropped rows would take, a prompt"},
       Kind::mean,
       [](O o) { return o.memory_saved; }},
      {{"overlap", "Jaccard overlap of the selection with the --oracle's; rows that are exact already don't count"},
       Kind::selection,
       [](O o) { return o.overlap.jaccard; }},
      {{"recall", "share of the --oracle's tokens that were selected; rows that are exact already don't count"},
       Kind::selection,
       [](O o) { return o.overlap.recall; }},
      {{"crowding_out", "share of the selection outside 90 % of the --oracle's score; neither counts exact rows"},
       Kind::selection,
       [](O o) { return o.overlap.crowding_out; }},
      {{"evidence", "share of the evidence's tokens that were selected"},
       Kind::selection,
       [](O o) { return o.overlap.evidence; }},
      {{"n", "samples"}, Kind::own, {}},
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
    const double value = field(o);
    if (std::isnan(value)) continue;
    out.values.push_back(value);
    out.clusters.push_back(o.cluster);
  }
  return out;
}

/// A time over full prefill's TTFT, sample by sample: lengths differ between samples, ratios can be compared.
TaskValues time_ratios(const TableCell& cell, const TableCell& full, const Field& field) {
  std::unordered_map<std::string, double> reference;
  for (const auto& o : full.observations) reference[o.sample] = o.seconds.ttft();
  TaskValues out;
  for (const auto& o : cell.observations) {
    const auto found = reference.find(o.sample);
    if (found == reference.end() || !(found->second > 0)) continue;
    out.values.push_back(field(o) / found->second);
    out.clusters.push_back(o.cluster);
  }
  return out;
}

std::string place_of(const TableCell& cell, const std::string& strategy) {
  const CellRecord& r = cell.record;
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", strategy, r.prompts, r.weights, r.dtype, r.backend, r.load_from,
                     cell.evidence);
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

bool is_known_value(const std::string& name) {
  return std::any_of(kinds().begin(), kinds().end(), [&](const ValueKind& k) { return k.value.name == name; });
}
bool is_time_value(const std::string& value) { return find_kind(value).kind == Kind::time; }
bool is_selection_value(const std::string& value) { return find_kind(value).kind == Kind::selection; }
bool is_quality_value(const std::string& value) {
  return value == "score" || value == "pgr" || value == "score_solved";
}

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

namespace {

std::unordered_map<std::string, double> scores_of(const TableCell& cell) {
  std::unordered_map<std::string, double> out;
  for (const auto& o : cell.observations) out[o.sample] = o.score;
  return out;
}

std::optional<Estimate> estimate_gap(const std::vector<const TableCell*>& cells, const References& references,
                                     IntervalMethod method, std::string& refusal) {
  std::vector<GapTask> tasks;
  for (const auto* cell : cells) {
    const TableCell *full = references.full(*cell), *none = references.no_context(*cell);
    if (!full || !none) {
      refusal = "pgr needs full and no_context over the same prompts; add them to the config's strategies";
      return std::nullopt;
    }
    const auto of_full = scores_of(*full), of_none = scores_of(*none);
    GapTask task;
    for (const auto& o : cell->observations) {
      const auto f = of_full.find(o.sample), z = of_none.find(o.sample);
      if (f == of_full.end() || z == of_none.end()) continue;
      task.method.push_back(o.score);
      task.full.push_back(f->second);
      task.none.push_back(z->second);
      task.clusters.push_back(o.cluster);
    }
    tasks.push_back(std::move(task));
  }
  GapRatio ratio = estimate_gap_ratio(tasks, {.method = method});
  if (!ratio.estimate) refusal = "no pgr: " + ratio.refusal;
  return ratio.estimate;
}

std::optional<std::vector<TaskValues>> solved_scores(const std::vector<const TableCell*>& cells,
                                                     const References& references, std::string& refusal) {
  std::vector<TaskValues> tasks;
  for (const auto* cell : cells) {
    const TableCell* full = references.full(*cell);
    if (!full) {
      refusal = "score_solved needs full over the same prompts; add it to the config's strategies";
      return std::nullopt;
    }
    const auto of_full = scores_of(*full);
    TaskValues& task = tasks.emplace_back();
    for (const auto& o : cell->observations) {
      const auto f = of_full.find(o.sample);
      if (f == of_full.end() || f->second < solved_score) continue;
      task.values.push_back(o.score);
      task.clusters.push_back(o.cluster);
    }
  }
  return tasks;
}

}  // namespace

std::optional<Estimate> estimate_value(const std::string& value, const std::vector<const TableCell*>& cells,
                                       const References& references, IntervalMethod method, std::string& refusal) {
  const ValueKind& kind = find_kind(value);
  if (value == "pgr") return estimate_gap(cells, references, method, refusal);
  std::vector<TaskValues> tasks;
  if (value == "score_solved") {
    auto solved = solved_scores(cells, references, refusal);
    if (!solved) return std::nullopt;
    tasks = std::move(*solved);
  } else {
    for (const auto* cell : cells) {
      if (value.ends_with("_ratio") && kind.kind == Kind::time) {
        const TableCell* full = references.full(*cell);
        if (!full) return std::nullopt;
        tasks.push_back(time_ratios(*cell, *full, kind.field));
      } else {
        tasks.push_back(values_of(*cell, value == "n" ? kinds().front().field : kind.field));
      }
    }
  }
  const Scale scale = is_quality_value(value) ? Scale::score : Scale::other;
  Estimate estimate =
      kind.kind == Kind::time ? estimate_median(tasks) : estimate_mean(tasks, {.scale = scale, .method = method});
  if (estimate.n == 0) return std::nullopt;
  if (value == "n") estimate = {static_cast<double>(estimate.n), estimate.n, std::nullopt};
  return estimate;
}

std::vector<PairedTask> pair_by_task(const std::vector<const TableCell*>& a, const std::vector<const TableCell*>& b,
                                     const References* only_solved) {
  std::vector<PairedTask> out;
  for (const auto* left : a) {
    const auto right = std::find_if(b.begin(), b.end(), [&](const TableCell* other) {
      return other->record.prompts == left->record.prompts && other->evidence == left->evidence;
    });
    if (right == b.end()) continue;
    std::unordered_map<std::string, double> solved;
    const TableCell* full = only_solved ? only_solved->full(*left) : nullptr;
    if (full) solved = scores_of(*full);
    const auto key = [](const Observation& o) { return fmt::format("{}:{}", o.position, o.cluster); };
    std::unordered_map<std::string, double> scores;
    for (const auto& o : (*right)->observations) scores[key(o)] = o.score;
    PairedTask& task = out.emplace_back();
    for (const auto& o : left->observations) {
      const auto found = scores.find(key(o));
      if (found == scores.end()) continue;
      if (only_solved) {
        const auto f = solved.find(o.sample);
        if (f == solved.end() || f->second < solved_score) continue;
      }
      task.a.push_back(o.score);
      task.b.push_back(found->second);
      task.clusters.push_back(o.cluster);
    }
  }
  return out;
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
