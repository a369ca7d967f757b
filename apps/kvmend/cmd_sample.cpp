#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "apps/kvmend/commands.h"
#include "core/error.h"
#include "core/suggest.h"
#include "datasets/sample_json.h"
#include "experiment/config/config.h"
#include "experiment/run/session.h"

namespace kvmend {
namespace {

/// A task's samples, or those of a run's config, as JSON lines: what a run would send, and what `select --request -` reads.
class SampleCommand final : public Command {
 public:
  explicit SampleCommand(CLI::App& app) {
    app.add_option("task", task_,
                   "see 'kvmend list tasks'; 'name: {param: value}' gives parameters; with --config: one of its tasks, "
                   "else all");
    app.add_option("--config", configs_, "a run's YAML file: the samples that it asks for; repeat for several, merged")
        ->allow_extra_args(false);
    app.add_option("--model", model_, "whose tokenizer and chat format");
    app.add_option("--chunker", chunker_, "'fixed: 256', passage, …; default fixed, or the config's");
    app.add_option("--chat", chat_, "chat format; default auto, or the config's");
    app.add_option("--set", settings_, "a task parameter: length=2048; with --config as for run: 'tasks.*.samples=5'")
        ->allow_extra_args(false);
    app.add_option("-n,--samples", count_, "how many of a task; default 1, or all that the config asks for")
        ->check(CLI::Range(1, 1 << 30));
    app.add_option("--first", first_, "index of the first")->check(CLI::Range(0, 1 << 30))->capture_default_str();
  }

  int run() override {
    if (configs_.empty() && (task_.empty() || model_.empty()))
      fail(ErrorKind::usage, "sample needs a task and --model, or --config with a run's file");
    const Config config = configs_.empty() ? alone() : of_run();
    const Session session(config);
    const std::vector<int> tasks = chosen(config);
    for (const TaskNote& note : session.notes()) fmt::print(stderr, "kvmend: {}: {}\n", note.task, note.text);
    for (const int t : tasks) print_task(session, t);
    return 0;
  }

 private:
  static std::string quoted(const std::string& text) { return Value(text).canonical(); }
  static std::string chunker_value(const std::string& text) {
    return text.find(':') == std::string::npos ? text : "{" + text + "}";
  }

  /// The same config reader as a run's, so that parameters mean the same.
  Config alone() const {
    const std::string text = fmt::format(
        "name: sample\nmodel: {}\nchat: {}\ntasks:\n  - {}\nchunker: {}\nstrategies: [full]\n", quoted(model_),
        quoted(chat_.empty() ? "auto" : chat_), task_, chunker_value(chunker_.empty() ? "fixed" : chunker_));
    std::vector<std::string> settings;
    for (const std::string& setting : settings_) settings.push_back("tasks.*." + setting);
    return parse_config(text, "kvmend sample", settings);
  }

  Config of_run() const {
    std::vector<std::string> settings = settings_;
    if (!model_.empty()) settings.push_back("model=" + quoted(model_));
    if (!chat_.empty()) settings.push_back("chat=" + quoted(chat_));
    if (!chunker_.empty()) settings.push_back("chunker=" + chunker_value(chunker_));
    Config config = load_prompt_config(std::vector<std::filesystem::path>(configs_.begin(), configs_.end()), settings);
    for (const std::string& warning : config.warnings) fmt::print(stderr, "kvmend: warning: {}\n", warning);
    // A line is known by its sample's id, which is the same under every chunker.
    if (config.chunkers.size() > 1) {
      fail(ErrorKind::usage, "{} has {} chunkers, the first is {}: choose one with --chunker", configs_.back(),
           config.chunkers.size(), config.chunkers.front().flow());
    }
    return config;
  }

  /// Of a config's tasks those that `task` names, by label or by name; all without it.
  std::vector<int> chosen(const Config& config) const {
    std::vector<int> out;
    std::vector<std::string> labels;
    for (int t = 0; t < static_cast<int>(config.tasks.size()); ++t) {
      const TaskVariant& task = config.tasks[static_cast<std::size_t>(t)];
      labels.push_back(task.label);
      if (configs_.empty() || task_.empty() || task.label == task_ || task.name == task_) out.push_back(t);
    }
    if (out.empty()) {
      fail(ErrorKind::usage, "{} has no task '{}'{}", configs_.back(), task_, did_you_mean(task_, labels));
    }
    return out;
  }

  void print_task(const Session& session, int t) const {
    const int exist = configs_.empty() ? session.task(t).size() : session.samples(t);
    if (first_ >= exist) {
      fail(ErrorKind::usage, "--first: {} has {} samples, 0 to {}",
           session.config().tasks[static_cast<std::size_t>(t)].label, exist, exist - 1);
    }
    const int wanted = count_ > 0 ? count_ : configs_.empty() ? 1 : exist;
    for (int i = first_; i < std::min<std::int64_t>(exist, std::int64_t{first_} + wanted); ++i)
      fmt::print("{}\n", sample_json(session.prompt(t, 0, i), session.tokenizer()));
  }

  std::string task_, model_, chunker_, chat_;
  std::vector<std::string> configs_, settings_;
  int count_ = 0, first_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_sample(CLI::App& app) { return std::make_unique<SampleCommand>(app); }

}  // namespace kvmend
