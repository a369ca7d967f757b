#include "experiment/store/merge.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>

#include <fmt/ranges.h>

#include "core/error.h"
#include "experiment/store/store.h"
#include "experiment/store/stored_metric.h"
#include "experiment/store/sweep_identity.h"
#include "experiment/text/labels.h"

namespace kvmend {
namespace {

std::string describe(const CellRecord& cell) { return at_ratio(cell.label, cell.ratio) + " on " + cell.task; }

/// Cells that lack as many samples of one task as one another, in a line: a sweep that was stopped has dozens.
class Lacking {
 public:
  void add(const CellRecord& cell, std::size_t lacking) {
    names_[{cell.task, lacking, cell.samples}].push_back(at_ratio(cell.label, cell.ratio));
  }
  void list(std::vector<std::string>& out) const {
    constexpr std::size_t shown = 3;
    for (const auto& [of, names] : names_) {
      const auto& [task, lacking, wanted] = of;
      if (names.size() == 1) {
        out.push_back(fmt::format("{} on {} lacks {} of {} samples", names.front(), task, lacking, wanted));
        continue;
      }
      const auto first = std::span(names).first(std::min(shown, names.size()));
      out.push_back(fmt::format("{} lacks {} of {} samples in {} cells: {}{}", task, lacking, wanted, names.size(),
                                fmt::join(first, ", "), names.size() > shown ? ", …" : ""));
    }
  }

 private:
  std::map<std::tuple<std::string, std::size_t, int>, std::vector<std::string>> names_;
};

/// Of runs by --shard i/n: those whose results are not there, or not all of them.
std::vector<std::string> shards_at_fault(const std::vector<RunRecord>& runs) {
  struct Last {
    double started = 0;
    std::string status;
  };
  std::map<std::pair<std::string, int>, std::map<int, Last>> sweeps;  // by the config's name and n
  for (const RunRecord& run : runs) {
    const Value* shard = run.models.find("shard");
    int i = 0, n = 0;
    if (!shard || std::sscanf(shard->as_string().c_str(), "%d/%d", &i, &n) != 2) continue;
    Last& last = sweeps[{run.name, n}][i];
    if (run.started >= last.started) last = {run.started, run.status};
  }
  std::vector<std::string> out;
  for (const auto& [sweep, there] : sweeps) {
    for (int i = 1; i <= sweep.second; ++i) {
      const auto found = there.find(i);
      if (found == there.end())
        out.push_back(fmt::format("shard {}/{} of {}: none of the stores is of it", i, sweep.second, sweep.first));
      else if (found->second.status != "done")
        out.push_back(fmt::format("shard {}/{} of {}: its run did not end ({})", i, sweep.second, sweep.first,
                                  found->second.status));
    }
  }
  return out;
}

/// What the merged store holds already: (cell key, sample position) → failed?, prediction.
class Held {
 public:
  explicit Held(Store& store) {
    const auto cells = store.cells();
    const auto ids = store.cell_ids();
    std::map<std::int64_t, std::string> keys;
    for (std::size_t i = 0; i < ids.size(); ++i) keys[ids[i]] = cells[i].key;
    std::map<std::int64_t, int> positions;
    for (const SampleRow& sample : store.samples()) positions[sample.id] = sample.position;
    for (const ResultRow& row : store.results())
      rows_[{keys.at(row.cell), positions.at(row.sample)}] = {row.id, row.failed};
  }
  struct Row {
    std::int64_t id = 0;
    bool failed = false;
  };
  const Row* find(const std::string& cell, int position) const {
    const auto found = rows_.find({cell, position});
    return found == rows_.end() ? nullptr : &found->second;
  }
  std::size_t size() const { return rows_.size(); }

 private:
  std::map<std::pair<std::string, int>, Row> rows_;
};

class Merger {
 public:
  explicit Merger(Store into) : into_(std::move(into)) {}

  void add(const std::filesystem::path& path) {
    Store from = Store::open(path, Store::Mode::read);
    const Held held(into_);
    const auto cells = from.cells();
    std::map<std::int64_t, const CellRecord*> by_id;
    const auto ids = from.cell_ids();
    for (std::size_t i = 0; i < ids.size(); ++i) by_id[ids[i]] = &cells[i];
    copy_runs(from, by_id);
    std::map<std::int64_t, std::vector<ResultRow>> by_sample;
    for (const ResultRow& row : from.results()) by_sample[row.sample].push_back(row);
    for (const auto& [sample_id, rows] : by_sample) copy_sample(from, held, sample_id, rows, by_id);
  }

  MergeReport report() {
    report_.results = static_cast<std::int64_t>(Held(into_).size());
    report_.redacted = into_.redacted_tasks();
    find_missing();
    return std::move(report_);
  }

 private:
  /// The runs of `from` with the cells that each of them wanted, as they were: a run's uuid is the same in every store it
  /// is merged into.
  void copy_runs(Store& from, const std::map<std::int64_t, const CellRecord*>& cells) {
    const auto theirs = from.runs();
    if (theirs.empty()) fail(ErrorKind::data, "{}: holds no run", from.path().string());
    std::map<std::int64_t, std::vector<CellRecord>> wanted;
    for (const RunCell& want : from.run_cells()) {
      CellRecord& cell = wanted[want.run].emplace_back(*cells.at(want.cell));
      cell.samples = want.samples;
    }
    run_of_.clear();
    for (const RunRecord& run : theirs) {
      run_of_[run.id] = into_.copy_run(run);
      into_.add_cells(run_of_[run.id], wanted[run.id]);
    }
  }

  void copy_sample(Store& from, const Held& held, std::int64_t sample_id, const std::vector<ResultRow>& rows,
                   const std::map<std::int64_t, const CellRecord*>& cells) {
    const SampleRecord sample = from.sample(sample_id);
    std::map<std::int64_t, std::vector<ResultRecord>> fresh;  // by our id of the run that computed them
    for (const ResultRow& row : rows) {
      const CellRecord& cell = *cells.at(row.cell);
      const Held::Row* ours = held.find(cell.key, sample.position);
      if (ours && !ours->failed) {
        if (!row.failed && into_.result(ours->id).prediction != from.result(row.id).prediction) {
          report_.conflicts.push_back(fmt::format("{}, sample {}", describe(cell), sample.id));
        }
        continue;
      }
      if (ours && row.failed) continue;
      fresh[run_of_.at(row.run)].push_back(from.result(row.id));
    }
    for (const auto& [run, results] : fresh) {
      into_.put_sample(run, sample, results);
      report_.added += static_cast<std::int64_t>(results.size());
    }
  }

  void find_missing() {
    std::set<std::string> unknown;
    Lacking lack;
    for (const CellRecord& cell : into_.cells()) {
      if (cell.samples < 0 && unknown.insert(cell.task).second)
        report_.missing.push_back(fmt::format(
            "{}: unknown; an older kvmend did not store how many samples \"all\" is: run the config again", cell.task));
      if (cell.samples <= 0) continue;
      const std::size_t lacking = into_.missing(std::span(&cell.key, 1), cell.samples).size();
      if (lacking > 0) lack.add(cell, lacking);
    }
    lack.list(report_.missing);
    if (report_.missing.empty()) return;
    const auto shards = shards_at_fault(into_.runs());
    report_.missing.insert(report_.missing.begin(), shards.begin(), shards.end());
  }

  Store into_;
  std::map<std::int64_t, std::int64_t> run_of_;  ///< ours, by the id in the store being added
  MergeReport report_;
};

/// Which tasks the merged store goes without the texts of.
class Redactions {
 public:
  explicit Redactions(const std::vector<std::string>& asked) : tasks_(asked.begin(), asked.end()) {}

  /// Notes what `store`, the one merged into or another, has no texts of.
  void look_at(Store& store, bool merged_into) {
    const std::set<std::string> lacking = store.redacted_tasks();
    for (const std::string& task : lacking) lacks_.emplace(task, store.path());
    if (!merged_into) return;
    Statement rows = store.database().prepare(
        "SELECT DISTINCT task FROM cells c WHERE EXISTS (SELECT 1 FROM samples s WHERE s.prompts = c.prompts)");
    while (rows.step()) {
      if (!lacking.contains(rows.text(0))) has_.insert(rows.text(0));
    }
  }

  /// Throws Error(usage) where texts would go that nobody asked to go.
  std::set<std::string> tasks(const std::filesystem::path& into) const {
    std::set<std::string> out = tasks_;
    for (const auto& [task, store] : lacks_) {
      if (!out.insert(task).second || !has_.contains(task)) continue;
      fail(ErrorKind::usage,
           "{} has no texts of {} (it was merged with --redact) and {} has; merge both into a new store, or take them "
           "out of {} too, with --redact {}",
           store.string(), task, into.string(), into.string(), task);
    }
    return out;
  }

 private:
  std::set<std::string> tasks_;
  std::map<std::string, std::filesystem::path> lacks_;  ///< by task, the first store without its texts
  std::set<std::string> has_;                           ///< tasks that the store merged into has texts of
};

}  // namespace

MergeReport merge_stores(const std::filesystem::path& into, const std::vector<std::filesystem::path>& from,
                         const MergeOptions& options) {
  std::error_code ignored;
  std::vector<std::filesystem::path> all = from;
  for (const auto& path : from) {
    if (std::filesystem::equivalent(path, into, ignored))
      fail(ErrorKind::usage, "{}: a store cannot be merged into itself", path.string());
  }
  if (std::filesystem::exists(into, ignored)) all.insert(all.begin(), into);
  // All can be read and belong together, before anything is written.
  std::optional<SweepIdentity> first;
  std::set<std::string> tasks;
  Redactions redactions(options.redact);
  CommonMetrics metrics;
  for (const auto& path : all) {
    Store store = Store::open(path, Store::Mode::read);
    redactions.look_at(store, path == into);
    for (const CellRecord& cell : store.cells()) tasks.insert(cell.task);
    metrics.add(store);
    if (options.mixed) continue;
    std::optional<SweepIdentity> sweep = identify_sweep(store);
    if (first && sweep) require_same_sweep(*first, *sweep);
    if (!first) first = std::move(sweep);
  }
  for (const std::string& task : options.redact) {
    if (tasks.count(task) == 0)
      fail(ErrorKind::usage, "no store has a task '{}' to redact; they have {}", task, fmt::join(tasks, ", "));
  }
  const std::set<std::string> redacted = redactions.tasks(into);
  Store out = Store::open(into, Store::Mode::write);
  if (!redacted.empty()) out.redact(redacted);
  Merger merger(std::move(out));
  for (const auto& path : from) merger.add(path);
  return merger.report();
}

RescoreReport rescore(const std::filesystem::path& path) {
  Store store = Store::open(path, Store::Mode::write);
  RescoreReport report;
  std::vector<std::pair<std::int64_t, double>> changed;
  for (const ResultRow& row : store.results()) {
    if (row.failed) continue;
    const double score = score_prediction(store.sample(row.sample), store.result(row.id).prediction);
    ++report.results;
    if (score != row.score) changed.emplace_back(row.id, score);
  }
  store.set_scores(changed);
  report.changed = static_cast<std::int64_t>(changed.size());
  return report;
}

}  // namespace kvmend
