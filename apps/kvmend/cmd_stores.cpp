#include <fmt/ranges.h>

#include <set>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/condition.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "experiment/store/export.h"
#include "experiment/store/merge.h"
#include "experiment/table/table.h"

namespace kvmend {
namespace {

/// One row a sample and cell, for other tools.
class Export final : public Command {
 public:
  explicit Export(CLI::App& app) {
    app.add_option("store", store_, "")->required();
    app.add_option("--format", format_, "jsonl or csv")->check(CLI::IsMember({"jsonl", "csv"}))->capture_default_str();
    app.add_option("-o,--output", output_, "the file that is written; default: standard output");
    app.add_option("--where", where_, "only these: 'task=ruler/vt'; repeat for several")->allow_extra_args(false);
  }
  int run() override {
    Store store = Store::open(store_, Store::Mode::read);
    const ExportKeys wanted = wanted_cells(store);
    if (output_.empty()) {
      write(store, wanted, [](const std::string& line) { fmt::print("{}\n", line); });
      return 0;
    }
    AtomicFile out(output_);
    std::string lines;  // a write is a system call
    write(store, wanted, [&](const std::string& line) {
      lines.append(line).push_back('\n');
      if (lines.size() < 1 << 20) return;
      out.write(lines);
      lines.clear();
    });
    out.write(lines);
    out.commit();
    return 0;
  }

 private:
  void write(Store& store, const ExportKeys& wanted, const std::function<void(const std::string&)>& emit) const {
    if (format_ == "csv")
      export_csv(store, emit, wanted);
    else
      export_jsonl(store, emit, wanted);
  }

  /// The cells that --where means, by the same words as `kvmend table`'s.
  ExportKeys wanted_cells(Store& store) const {
    if (where_.empty()) return std::nullopt;
    TableQuery query;
    for (const std::string& condition : where_) query.where.push_back(parse_condition(condition));
    TableData data;
    for (CellRecord& record : store.cells()) data.cells.push_back(table_cell(std::move(record)));
    std::set<std::string> keys;
    for (const TableCell* cell : matching_cells(data, query)) keys.insert(cell->record.key);
    return keys;
  }

  std::string store_, format_ = "jsonl", output_;
  std::vector<std::string> where_;
};

/// Shards into one store.
class Merge final : public Command {
 public:
  explicit Merge(CLI::App& app) {
    app.add_option("out", out_, "the merged store, made if missing")->required();
    app.add_option("store", stores_, "stores to add")->required();
    app.add_flag("--mixed", options_.mixed, "stores of different configs, models or data, too");
    app.add_option("--redact", options_.redact,
                   "TASK: leave its prompts out, to pass on a store over texts that may not be: letters become _, "
                   "token ids 0, also of what OUT has and of what is merged or run into it later. Reference answers, "
                   "predictions, ids, lengths and selections stay. Repeat for several")
        ->allow_extra_args(false);
  }
  int run() override {
    const MergeReport report = merge_stores(out_, {stores_.begin(), stores_.end()}, options_);
    fmt::print(stderr, "kvmend: {}: {} results, {} of them new\n", out_, report.results, report.added);
    if (!report.redacted.empty())
      fmt::print(stderr, "kvmend: {}: has no texts of {} (--redact)\n", out_, fmt::join(report.redacted, ", "));
    for (const std::string& line : report.missing) fmt::print(stderr, "kvmend: missing: {}\n", line);
    for (const std::string& line : report.conflicts) {
      fmt::print(stderr, "kvmend: warning: two stores disagree on {}; the first one's result stays\n", line);
    }
    return 0;
  }

 private:
  std::string out_;
  std::vector<std::string> stores_;
  MergeOptions options_;
};

/// Metrics again from the stored predictions.
class Rescore final : public Command {
 public:
  explicit Rescore(CLI::App& app) { app.add_option("store", store_, "")->required(); }
  int run() override {
    const RescoreReport report = rescore(store_);
    fmt::print(stderr, "kvmend: {}: {} results scored again, {} changed\n", store_, report.results, report.changed);
    return 0;
  }

 private:
  std::string store_;
};

}  // namespace

std::unique_ptr<Command> make_export(CLI::App& app) { return std::make_unique<Export>(app); }
std::unique_ptr<Command> make_merge(CLI::App& app) { return std::make_unique<Merge>(app); }
std::unique_ptr<Command> make_rescore(CLI::App& app) { return std::make_unique<Rescore>(app); }

}  // namespace kvmend
