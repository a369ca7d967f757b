#include <fmt/format.h>

#include <algorithm>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/condition.h"
#include "apps/kvmend/terminal.h"
#include "core/error.h"
#include "experiment/table.h"
#include "experiment/table_format.h"
#include "experiment/table_value.h"

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
    app.add_option("--rows", rows_, "dimensions of the rows, with commas")->capture_default_str();
    app.add_option("--cols", cols_, "dimensions of the columns")->capture_default_str();
    std::string names;
    for (const TableValue& value : table_values()) names += (names.empty() ? "" : ", ") + value.name;
    app.add_option("--value", values_, "what to show: " + names);
    app.add_option("--where", where_, "only these: 'task=ruler/vt'; repeat for several")->allow_extra_args(false);
    app.add_option("--interval", interval_, "of means: percentile or bca (bias-corrected)")
        ->check(CLI::IsMember({"percentile", "bca"}))
        ->capture_default_str();
    app.add_option("--oracle", oracle_, "the strategy that overlap, recall and crowding_out compare with")
        ->capture_default_str();
    app.add_option("--format", format_, "text, md, csv, latex or json")->capture_default_str();
  }

  int run() override {
    TableQuery query;
    query.rows = split_commas(rows_);
    query.cols = split_commas(cols_);
    query.values = split_commas(values_);
    for (const std::string& condition : where_) query.where.push_back(parse_condition(condition));
    if (interval_ == "bca") query.interval = IntervalMethod::bca;
    const bool selections = std::any_of(query.values.begin(), query.values.end(), [](const std::string& name) {
      return is_known_value(name) && is_selection_value(name);
    });
    const TableData data = load_table_data({stores_.begin(), stores_.end()}, selections ? oracle_ : "");
    const Table table = make_table(data, query);
    fmt::print("{}", format_table(table, format_, terminal_columns()));
    if (format_ != "text" && format_ != "md") {  // machine formats carry no prose: the warnings go to people
      for (const std::string& warning : table.warnings) fmt::print(stderr, "kvmend: warning: {}\n", warning);
    }
    return 0;
  }

 private:
  std::vector<std::string> stores_, where_;
  std::string rows_ = "strategy", cols_ = "ratio", values_, format_ = "text";
  std::string interval_ = "percentile", oracle_ = "oracle_attention";
};

}  // namespace

std::unique_ptr<Command> make_table_command(CLI::App& app) { return std::make_unique<TableCommand>(app); }

}  // namespace kvmend
