#include <fmt/format.h>

#include "apps/kvmend/commands.h"
#include "core/error.h"
#include "experiment/compare.h"

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
    app.add_flag("--solved", query_.solved, "only samples that full prefill solves");
    app.add_option("--interval", interval_, "percentile or bca (bias-corrected)")
        ->check(CLI::IsMember({"percentile", "bca"}))
        ->capture_default_str();
    app.add_option("--format", format_, "text, md, csv or json")->capture_default_str();
    app.add_flag("--json", json_, "the same as --format json");
  }

  int run() override {
    if (interval_ == "bca") query_.interval = IntervalMethod::bca;
    fmt::print("{}",
               format_comparison(compare_strategies(load_table_data({store_}), query_), json_ ? "json" : format_));
    return 0;
  }

 private:
  std::string store_, format_ = "text", interval_ = "percentile";
  CompareQuery query_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_compare(CLI::App& app) { return std::make_unique<Compare>(app); }

}  // namespace kvmend
