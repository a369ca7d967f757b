#include "experiment/merge.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/error.h"
#include "experiment/store.h"
#include "experiment/sweep_identity.h"

namespace kvmend {
namespace {

std::string describe(const CellRecord& cell) {
  return fmt::format("{}{} on {}", cell.label, cell.ratio ? fmt::format(" at {}", *cell.ratio) : "", cell.task);
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
    const std::int64_t run = copy_runs(from);
    const auto cells = from.cells();
    into_.add_cells(run, cells);
    std::map<std::int64_t, const CellRecord*> by_id;
    const auto ids = from.cell_ids();
    for (std::size_t i = 0; i < ids.size(); ++i) by_id[ids[i]] = &cells[i];
    std::map<std::int64_t, std::vector<ResultRow>> by_sample;
    for (const ResultRow& row : from.results()) by_sample[row.sample].push_back(row);
    for (const auto& [sample_id, rows] : by_sample) copy_sample(from, held, run, sample_id, rows, by_id);
    into_.end_run(run, "done");
  }

  MergeReport report() {
    report_.results = static_cast<std::int64_t>(Held(into_).size());
    find_missing();
    return std::move(report_);
  }

 private:
  /// The newest run of `from`, once: its uuid is the same in every store it is merged into.
  std::int64_t copy_runs(Store& from) {
    const auto theirs = from.runs();
    if (theirs.empty()) fail(ErrorKind::data, "{}: holds no run", from.path().string());
    std::int64_t last = 0;
    const auto ours = into_.runs();
    for (const RunRecord& run : theirs) {
      const auto same = std::find_if(ours.begin(), ours.end(), [&](const RunRecord& r) { return r.uuid == run.uuid; });
      last = same != ours.end() ? same->id : into_.begin_run(run);
    }
    return last;
  }

  void copy_sample(Store& from, const Held& held, std::int64_t run, std::int64_t sample_id,
                   const std::vector<ResultRow>& rows, const std::map<std::int64_t, const CellRecord*>& cells) {
    const SampleRecord sample = from.sample(sample_id);
    std::vector<ResultRecord> fresh;
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
      fresh.push_back(from.result(row.id));
    }
    if (fresh.empty()) return;
    into_.put_sample(run, sample, fresh);
    report_.added += static_cast<std::int64_t>(fresh.size());
  }

  void find_missing() {
    for (const CellRecord& cell : into_.cells()) {
      if (cell.samples <= 0) continue;
      const std::size_t lacking = into_.missing(std::span(&cell.key, 1), cell.samples).size();
      if (lacking > 0)
        report_.missing.push_back(fmt::format("{} lacks {} of {} samples", describe(cell), lacking, cell.samples));
    }
  }

  Store into_;
  MergeReport report_;
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
  for (const auto& path : all) {
    Store store = Store::open(path, Store::Mode::read);
    if (options.mixed) continue;
    std::optional<SweepIdentity> sweep = identify_sweep(store);
    if (first && sweep) require_same_sweep(*first, *sweep);
    if (!first) first = std::move(sweep);
  }
  Merger merger(Store::open(into, Store::Mode::write));
  for (const auto& path : from) merger.add(path);
  return merger.report();
}

RescoreReport rescore(const std::filesystem::path& path) {
  Store store = Store::open(path, Store::Mode::write);
  RescoreReport report;
  for (const ResultRow& row : store.results()) {
    if (row.failed) continue;
    const double score = score_prediction(store.sample(row.sample), store.result(row.id).prediction);
    ++report.results;
    if (score == row.score) continue;
    store.set_score(row.id, score);
    ++report.changed;
  }
  return report;
}

}  // namespace kvmend
