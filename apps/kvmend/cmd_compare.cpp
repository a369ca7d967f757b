#include <fmt/format.h>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/condition.h"
#include "core/error.h"
#include "experiment/compare/compare.h"

namespace kvmend {
namespace {

/// A paired test of two strategies, per task and over all.
class Compare final : public Command {
 public:
  explicit Compare(CLI::App& app) {
    app.add_option("store", store_, "")->required();
    app.add_option("a", query_.a, "a strategy, by its label in the table or its name")->required();
    app.add_option("b", query_.b, "the other one")->required();
    app.add_option("--ratio", query_.ratio, "only this ratio; default: each one there is");
    app.add_option("--where", where_, "only these: 'task=ruler/vt', 'evidence=cut'; repeat for several")
        ->allow_extra_args(false);
    app.add_option("--metric", metric_,
                   "score the stored predictions by this instead of the task's: exact_match, f1, …");
    app.add_flag("--solved", query_.solved, "only samples that full prefill solves: scores 0.5 or more on");
    app.add_option("--interval", interval_, "percentile or bca (bias-corrected)")
        ->check(CLI::IsMember({"percentile", "bca"}))
        ->capture_default_str();
    app.add_option("--format", format_, "text, md, csv, latex or json")->capture_default_str();
    app.add_flag("--json", json_, "the same as --format json");
  }

  int run() override {
    if (interval_ == "bca") query_.interval = IntervalMethod::bca;
    for (const std::string& condition : where_) query_.where.push_back(parse_condition(condition));
    TableData data = load_table_data({store_}, "", metric_);
    if (asks_for_evidence(query_.where)) split_by_evidence(data, {store_});
    fmt::print("{}", format_comparison(compare_strategies(data, query_), json_ ? "json" : format_));
    return 0;
  }

 private:
  std::vector<std::string> where_;
  std::string store_, format_ = "text", interval_ = "percentile", metric_;
  CompareQuery query_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_compare(CLI::App& app) { return std::make_unique<Compare>(app); }

}  // namespace kvmend
