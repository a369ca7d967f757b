#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/config_options.h"
#include "apps/kvmend/dry_run.h"
#include "apps/kvmend/plugin_option.h"
#include "apps/kvmend/verbosity.h"
#include "apps/kvmend/version.h"
#include "core/cancel.h"
#include "core/error.h"
#include "experiment/run/supervisor.h"
#include "experiment/run/worker.h"

namespace kvmend {
namespace {

/// "3h50m", "90s", "45" (minutes are never implied) → seconds.
double parse_duration(const std::string& text) {
  double total = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    double number = 0;
    const auto [stop, error] = std::from_chars(at, end, number);
    const char unit = stop < end ? *stop : 's';
    const double seconds = unit == 'h' ? 3600 : unit == 'm' ? 60 : unit == 's' ? 1 : 0;
    if (error != std::errc() || seconds == 0 || number < 0) {
      fail(ErrorKind::usage, "--max-time: '{}' is no duration; write it as 3h50m, 20m or 90s", text);
    }
    total += number * seconds;
    at = stop < end ? stop + 1 : end;
  }
  return total;
}

/// "2/8": shard 2 of 8.
void parse_shard(const std::string& text, SweepOptions& options) {
  int shard = 0, shards = 0;
  char slash = 0, rest = 0;
  if (std::sscanf(text.c_str(), "%d%c%d%c", &shard, &slash, &shards, &rest) != 3 || slash != '/' || shard < 1 ||
      shards < shard) {
    fail(ErrorKind::usage, "--shard: '{}' must be i/n with 1 ≤ i ≤ n, for example 1/4", text);
  }
  options.shard = shard;
  options.shards = shards;
}

/// A sweep: computes what the store lacks of the config's grid.
class Run final : public Command {
 public:
  explicit Run(CLI::App& app) {
    app.add_option("config", configs_, "YAML files, merged left to right, a file's set: at its place; later ones win")
        ->required();
    app.add_option("-o,--output", options_.store, "the store; default NAME.kvmend here");
    add_config_options(app, options_.settings, "cuda:N,M");
    add_plugin_option(app);
    app.add_option("--shard", shard_, "i/n: this machine's share of the samples");
    app.add_option("--limit", options_.limit, "samples a task at most")->check(CLI::Range(1, 1 << 30));
    app.add_option("--max-time", max_time_, "end after the sample in flight once this much time is gone: 3h50m");
    app.add_option("--notify", notify_, "a shell command to run at the end; KVMEND_STATUS says how it ended");
    app.add_flag("--retry-failed", options_.retry_failed, "compute cells that failed before again");
    app.add_flag("--dry-run", dry_run_, "print the grid, each task's first prompt and an estimate; compute nothing");
    add_verbosity_options(app, options_.quiet, options_.verbose, "a line for each sample stored");
  }

  int run() override {
    options_.configs.assign(configs_.begin(), configs_.end());
    if (!shard_.empty()) parse_shard(shard_, options_);
    if (!max_time_.empty()) options_.max_seconds = parse_duration(max_time_);
    if (dry_run_) return print_dry_run(options_);
    options_.worker = {"/proc/self/exe", "worker"};
    options_.version = version();
    options_.build = build_text();
    options_.command_line = command_line;
    install_stop_signals();
    int code = 0;
    try {
      code = report(run_sweep(options_));
    } catch (...) {
      notify("error");
      throw;
    }
    notify(code == 0 ? "done" : code == 5 ? "failed" : "interrupted");
    return code;
  }

 private:
  int report(const SweepResult& result) const {
    if (!options_.quiet) {
      fmt::print(stderr, "kvmend: {}: {} results computed, {} were there\n", result.store.string(), result.computed,
                 result.present);
    }
    if (result.failed > 0) {
      fmt::print(stderr, "kvmend: {} results failed (the rest is stored; --retry-failed computes them again):\n",
                 result.failed);
      for (const std::string& line : result.failures) fmt::print(stderr, "  {}\n", line);
      if (result.failed > static_cast<std::int64_t>(result.failures.size())) fmt::print(stderr, "  …\n");
    }
    if (result.stopped_by && result.left > 0) {
      fmt::print(stderr, "kvmend: interrupted with {} results to go; the same command goes on from here\n",
                 result.left);
      return 130;
    }
    return result.failed > 0 ? 5 : 0;
  }

  void notify(const char* status) const {
    if (notify_.empty()) return;
    ::setenv("KVMEND_STATUS", status, 1);
    if (std::system(notify_.c_str()) != 0)
      fmt::print(stderr, "kvmend: warning: --notify command failed: {}\n", notify_);
  }

  std::vector<std::string> configs_;
  SweepOptions options_;
  std::string shard_, max_time_, notify_;
  bool dry_run_ = false;
};

/// The other end of a sweep; started by `run`, not by people.
class WorkerCommand final : public Command {
 public:
  explicit WorkerCommand(CLI::App& app) {
    app.add_option("config", configs_)->required();
    app.add_option("--set", job_.settings)->allow_extra_args(false);
    add_plugin_option(app);
    app.add_option("--digest", job_.digest)->required();
    app.add_option("--device", job_.device);
    app.add_option("--read", read_)->required();
    app.add_option("--write", write_)->required();
  }

  int run() override {
    // A batch system sends these to every process; the supervisor decides when the worker ends.
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) std::signal(signal, SIG_IGN);
    job_.configs.assign(configs_.begin(), configs_.end());
    run_worker(job_, Wire(read_, write_));
    return 0;
  }

 private:
  std::vector<std::string> configs_;
  WorkerJob job_;
  int read_ = -1, write_ = -1;
};

}  // namespace

std::unique_ptr<Command> make_run(CLI::App& app) { return std::make_unique<Run>(app); }
std::unique_ptr<Command> make_worker(CLI::App& app) { return std::make_unique<WorkerCommand>(app); }

}  // namespace kvmend
