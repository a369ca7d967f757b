#include "experiment/table/data.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "core/error.h"
#include "experiment/selection/kept.h"
#include "experiment/store/run_facts.h"
#include "experiment/store/stored_metric.h"
#include "experiment/table/coverage.h"
#include "experiment/text/labels.h"

namespace kvmend {

TableCell table_cell(CellRecord record) {
  TableCell cell;
  cell.strategy = record.label;
  cell.task = record.task;
  cell.model = record.model;
  cell.params = record.params;
  cell.record = std::move(record);
  return cell;
}

namespace {

/// One cell of one seed.
struct Replicate {
  CellRecord record;
  std::string note;                                 ///< RunFacts
  std::map<std::string, Observation> observations;  ///< by sample
  std::map<std::string, std::string> failures;      ///< error by sample
};

Observation observe(const ResultRow& row, const SampleRow& sample, std::optional<double> kv_bytes_per_token) {
  Observation o;
  o.sample = sample_key(sample);
  o.cluster = sample.cluster;
  o.position = sample.position;
  o.score = row.score;
  o.effective_ratio = row.effective_ratio;
  o.flops = row.flops;
  o.flops_ratio = row.flops_ratio;
  o.layer_tokens = static_cast<double>(row.layer_tokens);
  o.bytes = row.bytes;
  o.seconds = row.seconds;
  o.decode_seconds = row.decode_seconds;
  o.decode_flops = row.decode_flops;
  if (row.n_context > 0)
    o.exact_selected = static_cast<double>(row.exact_selected) / static_cast<double>(row.n_context);
  o.shared_timing = row.shared_timing;
  o.kept = row.kept;
  o.memory_saved = memory_saved(row.dropped, kv_bytes_per_token).value_or(std::numeric_limits<double>::quiet_NaN());
  return o;
}

class Loader {
 public:
  Loader(std::string reference, std::string metric) : reference_(std::move(reference)), metric_(std::move(metric)) {}

  void load(const std::filesystem::path& path) {
    Store store = Store::open(path, Store::Mode::read);
    if (metric_.empty()) metrics_.add(store);
    std::map<std::int64_t, SampleRow> samples;
    for (auto& sample : store.samples()) samples[sample.id] = std::move(sample);
    std::map<std::int64_t, std::string> run_builds;
    for (const auto& run : store.runs()) {
      run_builds[run.id] = built_from(run);
      const Value* notes = run.models.is_map() ? run.models.find("notes") : nullptr;
      if (!notes || !notes->is_list()) continue;
      for (const Value& note : notes->as_list()) notes_.insert(note.as_string());
    }
    const auto ids = store.cell_ids();
    std::map<std::int64_t, Replicate*> by_id;
    const auto overlaps = reference_.empty() ? std::map<std::int64_t, Overlap>() : read_overlaps(store, reference_);
    const auto scores = metric_.empty() ? std::map<std::int64_t, double>() : scores_by_metric(store, metric_);
    const RunFacts facts(store);
    Coverage coverage(store);
    std::size_t i = 0;
    for (auto& record : store.cells()) {
      std::string note = facts.note(record);
      by_id[ids[i++]] = &replicate(std::move(record), std::move(note));
    }
    for (const auto& row : store.results()) {
      Replicate& cell = *by_id.at(row.cell);
      const SampleRow& sample = samples.at(row.sample);
      builds_.insert(run_builds[row.run]);
      if (row.failed) {
        cell.failures.emplace(sample_key(sample), row.error);
      } else {
        const auto [at, fresh] =
            cell.observations.emplace(sample_key(sample), observe(row, sample, facts.kv_bytes_per_token(cell.record)));
        if (fresh) at->second.equals_full = coverage.equals_full(row, cell.record);
        if (fresh && !metric_.empty()) at->second.score = scores.at(row.id);
        const auto overlap = overlaps.find(row.id);
        if (fresh && overlap != overlaps.end()) at->second.overlap = overlap->second;
      }
    }
  }

  /// Cells in the order first met.
  std::vector<Replicate*> replicates() const { return order_; }
  const std::set<std::string>& builds() const { return builds_; }
  const std::set<std::string>& notes() const { return notes_; }

 private:
  Replicate& replicate(CellRecord record, std::string note) {
    const auto [at, fresh] = by_key_.emplace(record.key, Replicate{});
    if (fresh) {
      at->second.record = std::move(record);
      at->second.note = std::move(note);
      order_.push_back(&at->second);
    } else {
      at->second.record.samples = std::max(at->second.record.samples, record.samples);
    }
    return at->second;
  }

  std::string reference_, metric_;
  CommonMetrics metrics_;
  std::map<std::string, Replicate> by_key_;
  std::vector<Replicate*> order_;
  std::set<std::string> builds_, notes_;
};

void add(Observation& sum, const Observation& o, double weight) {
  const auto mix = [&](double& a, double b) { a += weight * (b - a); };
  mix(sum.score, o.score);
  mix(sum.effective_ratio, o.effective_ratio);
  mix(sum.flops, o.flops);
  mix(sum.flops_ratio, o.flops_ratio);
  mix(sum.layer_tokens, o.layer_tokens);
  mix(sum.bytes, o.bytes);
  mix(sum.seconds.load, o.seconds.load);
  mix(sum.seconds.place, o.seconds.place);
  mix(sum.seconds.select, o.seconds.select);
  mix(sum.seconds.recompute, o.seconds.recompute);
  mix(sum.seconds.query, o.seconds.query);
  mix(sum.seconds.first_token, o.seconds.first_token);
  mix(sum.decode_seconds, o.decode_seconds);
  mix(sum.decode_flops, o.decode_flops);
  mix(sum.exact_selected, o.exact_selected);
  mix(sum.kept, o.kept);
  mix(sum.memory_saved, o.memory_saved);
  mix(sum.overlap.jaccard, o.overlap.jaccard);
  mix(sum.overlap.recall, o.overlap.recall);
  mix(sum.overlap.crowding_out, o.overlap.crowding_out);
  mix(sum.overlap.evidence, o.overlap.evidence);
  sum.equals_full = sum.equals_full && o.equals_full;
  sum.shared_timing = sum.shared_timing || o.shared_timing;
}

/// The mean over replicates, sample by sample, over those that have the sample.
TableCell average(const std::vector<Replicate*>& replicates) {
  TableCell cell = table_cell(replicates.front()->record);
  cell.note = replicates.front()->note;
  if (replicates.size() > 1) {
    cell.strategy = cell.record.series;
    cell.params.erase("seed");
  }
  std::map<std::string, std::pair<Observation, int>> means;
  for (const auto* replicate : replicates) {
    cell.wanted = replicate->record.samples < 0 ? -1 : std::max(cell.wanted, replicate->record.samples);
    for (const auto& [sample, o] : replicate->observations) {
      const auto [at, fresh] = means.emplace(sample, std::pair(o, 1));
      if (!fresh) add(at->second.first, o, 1.0 / ++at->second.second);
    }
    cell.failed += static_cast<int>(replicate->failures.size());
    if (cell.first_error.empty() && !replicate->failures.empty())
      cell.first_error = replicate->failures.begin()->second;
  }
  for (auto& [sample, mean] : means) cell.observations.push_back(std::move(mean.first));
  return cell;
}

/// Labels that are equal only where what they name is.
void make_labels_unique(std::vector<TableCell>& cells) {
  const auto relabel = [&](std::string TableCell::*label, auto&& params_of) {
    std::vector<std::string> labels;
    std::vector<Value> params;
    std::vector<std::string> seen;  // label and parameters, each once
    for (const auto& cell : cells) {
      const Value value = params_of(cell);
      const std::string key = cell.*label + "\n" + value.canonical();
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
      seen.push_back(key);
      labels.push_back(cell.*label);
      params.push_back(value);
    }
    tell_apart(labels, params);
    for (auto& cell : cells) {
      const std::string key = cell.*label + "\n" + params_of(cell).canonical();
      const auto at = std::find(seen.begin(), seen.end(), key) - seen.begin();
      cell.*label = labels[static_cast<std::size_t>(at)];
    }
  };
  relabel(&TableCell::strategy, [](const TableCell& cell) { return cell.params; });
  relabel(&TableCell::task, [](const TableCell& cell) {
    Value params = cell.record.task_params;
    if (const Value* task = cell.record.canonical.find("task")) {
      if (const Value* version = task->find("version")) params.set("version", *version);
    }
    return params;
  });
  relabel(&TableCell::model, [](const TableCell& cell) {
    Value params = Value::Map{};
    params.set("weights", cell.record.weights.substr(0, 8));
    return params;
  });
}

}  // namespace

std::string sample_key(const SampleRow& sample) { return fmt::format("{}:{:09}", sample.prompts, sample.position); }

std::string without_seed(const CellRecord& record) {
  Value canonical = record.canonical;
  for (auto& entry : canonical.map()) {
    if (entry.key == "strategy") entry.value.erase("seed");
  }
  return canonical.canonical();
}

TableData load_table_data(const std::vector<std::filesystem::path>& stores, const std::string& reference,
                          const std::string& metric) {
  Loader loader(reference, metric);
  for (const auto& path : stores) loader.load(path);
  std::map<std::string, std::size_t> index;
  std::vector<std::vector<Replicate*>> groups;
  for (auto* replicate : loader.replicates()) {
    const auto [at, fresh] = index.emplace(without_seed(replicate->record), groups.size());
    if (fresh) groups.emplace_back();
    groups[at->second].push_back(replicate);
  }
  TableData data;
  data.metric = metric;
  data.reference = reference;
  for (const auto& group : groups) data.cells.push_back(average(group));
  make_labels_unique(data.cells);
  data.builds.assign(loader.builds().begin(), loader.builds().end());
  data.notes.assign(loader.notes().begin(), loader.notes().end());
  return data;
}

}  // namespace kvmend
