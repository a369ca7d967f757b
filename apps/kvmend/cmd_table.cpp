#include <fmt/format.h>

#include <algorithm>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/condition.h"
#include "apps/kvmend/terminal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/install_paths.h"
#include "core/suggest.h"
#include "experiment/compare/against.h"
#include "experiment/table/format.h"
#include "experiment/table/table.h"
#include "experiment/table/value.h"

namespace kvmend {
namespace {

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= text.size() && !text.empty();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

/// A store's results as a table, every figure with its interval and sample count.
class TableCommand final : public Command {
 public:
  explicit TableCommand(CLI::App& app) {
    app.add_option("store", stores_, "one store or several")->required();
    app.add_option(
           "--rows", rows_,
           "dimensions of the rows, with commas: strategy, ratio, task, group, model, chunker, any parameter, …")
        ->capture_default_str();
    app.add_option("--cols", cols_, "dimensions of the columns")->capture_default_str();
    std::string names;
    for (const TableValue& value : table_values()) names += (names.empty() ? "" : ", ") + value.name;
    app.add_option("--value", values_, "what to show ('kvmend list values' explains them): " + names);
    app.add_option("--where", where_, "only these: 'task=ruler/vt'; repeat for several")->allow_extra_args(false);
    app.add_option("--against", against_, "a paper's numbers and claims beside these results; '?' lists them");
    app.add_option("--interval", interval_, "of means: percentile or bca (bias-corrected)")
        ->check(CLI::IsMember({"percentile", "bca"}))
        ->capture_default_str();
    app.add_option("--metric", metric_,
                   "score the stored predictions by this instead of the task's: exact_match, f1, …");
    app.add_option("--oracle", oracle_, "the strategy that overlap, recall and crowding_out compare with")
        ->capture_default_str();
    auto* format = app.add_option("--format", format_, "text, md, csv, latex or json")->capture_default_str();
    app.add_flag_callback(
           "--json", [this] { format_ = "json"; }, "the same as --format json")
        ->excludes(format);
  }

  int run() override {
    TableQuery query;
    query.rows = split_commas(rows_);
    query.cols = split_commas(cols_);
    query.values = split_commas(values_);
    for (const std::string& condition : where_) query.where.push_back(parse_condition(condition));
    if (interval_ == "bca") query.interval = IntervalMethod::bca;
    if (!against_.empty()) return print_against(query);
    const bool selections = std::any_of(query.values.begin(), query.values.end(), [](const std::string& name) {
      return is_known_value(name) && is_selection_value(name);
    });
    const Table table = make_table(load(query, selections ? oracle_ : ""), query);
    fmt::print("{}", format_table(table, format_, terminal_columns()));
    if (format_ != "text" && format_ != "md") {  // machine formats carry no prose: the warnings go to people
      for (const std::string& warning : table.warnings) fmt::print(stderr, "kvmend: warning: {}\n", warning);
    }
    return 0;
  }

 private:
  /// The stores' results, split by evidence where rows, columns or conditions ask for it.
  TableData load(const TableQuery& query, const std::string& reference) const {
    const std::vector<std::filesystem::path> stores(stores_.begin(), stores_.end());
    TableData data = load_table_data(stores, reference, metric_);
    std::vector<std::string> names = query.rows;
    names.insert(names.end(), query.cols.begin(), query.cols.end());
    for (const auto& [name, value] : query.where) names.push_back(name);
    if (std::find(names.begin(), names.end(), "evidence") != names.end()) split_by_evidence(data, stores);
    return data;
  }

  /// NAME in results/published, or a file of the same form.
  int print_against(const TableQuery& query) const {
    const auto folder = shipped_path("results/published");
    const auto names = published_names(folder);
    if (against_ == "?") {
      for (const auto& name : names) {
        const Published paper = read_published(folder / (name + ".yaml"));
        fmt::print("{}: {} ({})\n", name, paper.title, paper.source);
      }
      return 0;
    }
    const bool known = std::find(names.begin(), names.end(), against_) != names.end();
    if (!known && !path_exists(against_))
      fail(ErrorKind::usage, "--against: no published results '{}'{}", against_, did_you_mean(against_, names));
    const auto file = known ? folder / (against_ + ".yaml") : std::filesystem::path(against_);
    fmt::print("{}", format_against(set_against(load(query, ""), query.where, read_published(file)), format_));
    return 0;
  }

  std::vector<std::string> stores_, where_;
  std::string rows_ = "strategy", cols_ = "ratio", values_, format_ = "text";
  std::string against_, interval_ = "percentile", oracle_ = "oracle_attention", metric_;
};

}  // namespace

std::unique_ptr<Command> make_table_command(CLI::App& app) { return std::make_unique<TableCommand>(app); }

}  // namespace kvmend
