#include <fmt/format.h>

#include <optional>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/config_options.h"
#include "core/file.h"
#include "core/progress.h"
#include "experiment/recycle/recycle.h"

namespace kvmend {
namespace {

/// A stream of prompts, each answered without and with the cache of an earlier one (arXiv 2512.11851).
class Recycle final : public Command {
 public:
  explicit Recycle(CLI::App& app) {
    app.add_option("config", config_, "YAML: model, prompts, encoder, lookups, …")->required();
    add_config_options(app, settings_, "cuda:N");
    app.add_option("-o,--output", output_, "JSON lines of the rows go to this file");
    app.add_flag("--json", json_, "JSON lines instead of the summary");
    app.add_flag("-q,--quiet", quiet_, "no progress");
  }

  int run() override {
    const RecycleConfig config = load_recycle_config(config_, settings_);
    std::optional<Progress> progress;
    const RecycleResult result = run_recycling(config, [&](int done, int prompts) {
      if (!progress) progress.emplace(prompts, "prompts", quiet_);
      progress->update(done, static_cast<double>(done) / prompts, "");
    });
    progress.reset();
    if (!output_.empty()) write_file_atomically(output_, {recycle_json(result)});
    fmt::print("{}", json_ ? recycle_json(result) : recycle_text(result));
    return 0;
  }

 private:
  std::string config_, output_;
  std::vector<std::string> settings_;
  bool json_ = false, quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_recycle(CLI::App& app) { return std::make_unique<Recycle>(app); }

}  // namespace kvmend
