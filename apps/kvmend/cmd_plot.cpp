#include <fmt/format.h>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/condition.h"
#include "experiment/plot/plot.h"

namespace kvmend {
namespace {

/// A figure of a store's results.
class Plot final : public Command {
 public:
  explicit Plot(CLI::App& app) {
    app.add_option("store", stores_, "one store or several")->required();
    std::string kinds;
    for (const PlotKind& kind : plot_kinds()) kinds += fmt::format("\n  {}: {}", kind.name, kind.summary);
    app.add_option("--kind", query_.kind, "what to draw:" + kinds)->required();
    app.add_option("-o,--output", output_, "FILE.svg, .png or .pdf; .gp writes the gnuplot script")->required();
    app.add_option("--where", where_, "only these: 'task=ruler/vt'; repeat for several")->allow_extra_args(false);
    app.add_option("--value", query_.value, "y axis: score, pgr or score_solved")->capture_default_str();
    app.add_option("--oracle", query_.oracle, "the strategy that crowding-out compares with")->capture_default_str();
    app.add_option("--width", query_.width, "inches")->check(CLI::Range(2.0, 40.0))->capture_default_str();
    app.add_option("--height", query_.height, "inches")->check(CLI::Range(2.0, 40.0))->capture_default_str();
  }

  int run() override {
    for (const std::string& condition : where_) query_.where.push_back(parse_condition(condition));
    write_plot({stores_.begin(), stores_.end()}, query_, output_);
    return 0;
  }

 private:
  std::vector<std::string> stores_, where_;
  PlotQuery query_;
  std::string output_;
};

}  // namespace

std::unique_ptr<Command> make_plot(CLI::App& app) { return std::make_unique<Plot>(app); }

}  // namespace kvmend
