#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "experiment/store/lock.h"
#include "experiment/store/records.h"
#include "experiment/store/sqlite.h"

namespace kvmend {

/// A sample that some cells lack.
struct MissingSample {
  int position = 0;
  std::vector<std::size_t> cells;  ///< indices into the cells that were asked about
};

/// A result as tables and merges read it: everything but texts, selections and scores.
struct ResultRow {
  std::int64_t id = 0, cell = 0, sample = 0, run = 0;
  bool failed = false;
  std::string error;
  double score = 0;  ///< NaN where it failed
  std::int64_t layer_tokens = 0, exact_selected = 0;
  double effective_ratio = 0, flops = 0, flops_ratio = 0, bytes = 0;
  PhaseSeconds seconds;
  double decode_seconds = 0, decode_flops = 0;  ///< as Outcome's
  bool shared_timing = false;
  double kept = 1;           ///< share of the context's rows that the plan left in the cache …
  std::int64_t dropped = 0;  ///< … and how many it did not
  std::int64_t n_context = 0,
               selected = 0;  ///< context rows, and those of them that were recomputed; 0 where it failed
  bool reordered = false;     ///< the plan put the chunks in another order
};

/// A sample without its text and tokens.
struct SampleRow {
  std::int64_t id = 0;
  std::string prompts, name, cluster;
  int position = 0;
};

/// How many samples of a cell a run wanted.
struct RunCell {
  std::int64_t run = 0, cell = 0;
  int samples = 0;  ///< as CellRecord::samples
};

struct StoreOptions {
  std::optional<bool> network;  ///< whether the file system is a network's; nullopt: ask it
};

/// One SQLite file: the truth of a run (DESIGN: ideas 5 and 6). One writer, many readers, also while it writes.
/// On local file systems the writer keeps a write-ahead log and folds it into the file when it closes. On network file
/// systems it keeps a rollback journal, and readers that come while it writes read a snapshot copied to a temporary
/// folder. All functions throw Error(data) for what the disk or the file is to blame for.
class Store {
 public:
  enum class Mode : std::uint8_t { read, write };

  /// write: makes the file (and its folder) if it is not there; throws Error(usage) if another process writes it.
  static Store open(const std::filesystem::path& path, Mode mode, StoreOptions options = {});
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  const std::filesystem::path& path() const;
  Database& database();

  // Writing. Each call is one transaction.
  /// Returns the run's id within this store.
  std::int64_t begin_run(const RunRecord& run);
  void end_run(std::int64_t run, const std::string& status);
  /// Another store's run, as it is there: added, or brought up to date where it was copied before it ended. Returns its id
  /// within this store.
  std::int64_t copy_run(const RunRecord& run);
  void add_cells(std::int64_t run, std::span<const CellRecord> cells);
  /// A sample with the results of all cells that ran it; kill −9 loses all of it or nothing. A result that was there
  /// already is replaced. The sample's prompt and metric must be those stored before: otherwise Error(data), nothing changes. A sample
  /// of a redacted task is stored without its text and token ids.
  void put_sample(std::int64_t run, const SampleRecord& sample, std::span<const ResultRecord> results);
  /// Tasks that the store goes without the texts of from now on, whoever adds to it: what it has of them is overwritten in one
  /// transaction, then the file is written anew, for pages that were freed hold texts still.
  void redact(const std::set<std::string>& tasks);
  /// By result id.
  void set_scores(std::span<const std::pair<std::int64_t, double>> scores);

  // Reading.
  /// Which of `cells` (keys) lack which of the samples [0, samples); failed ones count as there unless asked otherwise.
  std::vector<MissingSample> missing(std::span<const std::string> cells, int samples, bool retry_failed = false);
  std::set<std::string> redacted_tasks();  ///< redact.h
  std::vector<RunRecord> runs();
  std::vector<CellRecord> cells();       ///< `samples`: the most that any run wanted
  std::vector<std::int64_t> cell_ids();  ///< in cells()' order
  std::vector<RunCell> run_cells();      ///< by run
  std::vector<SampleRow> samples();
  std::vector<ResultRow> results();
  SampleRecord sample(std::int64_t id);
  std::map<std::int64_t, std::vector<Unit>> units();  ///< by sample id
  /// Rows of samples whose id is `name`, or whose id ends in it, one for each set of prompts it occurs in.
  std::vector<SampleRow> find_samples(const std::string& name);
  /// In full, with texts, selections and scores.
  ResultRecord result(std::int64_t id);
  std::vector<std::int64_t> result_ids_of_sample(std::int64_t sample);

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kvmend
