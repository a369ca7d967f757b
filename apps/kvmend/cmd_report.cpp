#include <fmt/format.h>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/condition.h"
#include "core/file.h"
#include "experiment/report/report.h"

namespace kvmend {
namespace {

/// One self-contained page: tables, figures, samples.
class ReportCommand final : public Command {
 public:
  explicit ReportCommand(CLI::App& app) {
    app.add_option("store", stores_, "one store or several")->required();
    app.add_option("-o,--output", output_, "FILE.html")->required();
    app.add_option("--samples", query_.samples,
                   "how many with text and selections, disagreements first; fewer where the page would exceed 60 MB")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--where", where_, "only these: 'task=ruler/vt'; repeat for several")->allow_extra_args(false);
    app.add_flag("!--no-plots", query_.plots, "without figures, where there is no gnuplot");
  }

  int run() override {
    for (const std::string& condition : where_) query_.where.push_back(parse_condition(condition));
    const Report report = make_report({stores_.begin(), stores_.end()}, query_);
    write_file_atomically(output_, report.html);
    for (const auto& note : report.notes) fmt::print(stderr, "kvmend: {}\n", note);
    fmt::print(stderr, "kvmend: {}: {} {}, {} with text, {:.1f} MB\n", output_, report.samples,
               report.samples == 1 ? "sample" : "samples", report.with_text,
               static_cast<double>(report.html.size()) / 1e6);
    return 0;
  }

 private:
  std::vector<std::string> stores_, where_;
  std::string output_;
  ReportQuery query_;
};

}  // namespace

std::unique_ptr<Command> make_report_command(CLI::App& app) { return std::make_unique<ReportCommand>(app); }

}  // namespace kvmend
