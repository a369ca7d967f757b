#include <fmt/format.h>

#include "apps/kvmend/commands.h"
#include "core/error.h"
#include "datasets/sample_json.h"
#include "experiment/config.h"
#include "experiment/session.h"

namespace kvmend {
namespace {

/// A task's samples as JSON lines: what a run would send, and what `select --request -` reads.
class SampleCommand final : public Command {
 public:
  explicit SampleCommand(CLI::App& app) {
    app.add_option("task", task_, "see 'kvmend list tasks'; 'name: {param: value}' gives parameters")->required();
    app.add_option("--model", model_, "whose tokenizer and chat format")->required();
    app.add_option("--chunker", chunker_, "'fixed: 256', passage, …")->capture_default_str();
    app.add_option("--chat", chat_, "chat format")->capture_default_str();
    app.add_option("--set", settings_, "a task parameter: length=2048")->allow_extra_args(false);
    app.add_option("-n,--samples", count_, "how many")->check(CLI::Range(1, 1 << 30))->capture_default_str();
    app.add_option("--first", first_, "index of the first")->check(CLI::Range(0, 1 << 30))->capture_default_str();
  }

  int run() override {
    // The same config reader as a run's, so that parameters mean the same.
    const std::string text = fmt::format(
        "name: sample\nmodel: {}\nchat: {}\ntasks:\n  - {}\nchunker: {}\nstrategies: [full]\n", quoted(model_),
        quoted(chat_), task_, chunker_.find(':') == std::string::npos ? chunker_ : "{" + chunker_ + "}");
    std::vector<std::string> settings;
    for (const std::string& setting : settings_) settings.push_back("tasks.*." + setting);
    const Config config = parse_config(text, "kvmend sample", settings);
    const Session session(config);
    for (const TaskNote& note : session.notes()) fmt::print(stderr, "kvmend: {}: {}\n", note.task, note.text);
    const int exist = session.task(0).size();
    if (first_ >= exist)
      fail(ErrorKind::usage, "--first: {} has {} samples, 0 to {}", config.tasks[0].label, exist, exist - 1);
    for (int i = first_; i < std::min(exist, first_ + count_); ++i) {
      fmt::print("{}\n", sample_json(session.prompt(0, 0, i), session.tokenizer()));
    }
    return 0;
  }

 private:
  static std::string quoted(const std::string& text) { return Value(text).canonical(); }

  std::string task_, model_, chunker_ = "fixed", chat_ = "auto";
  std::vector<std::string> settings_;
  int count_ = 1, first_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_sample(CLI::App& app) { return std::make_unique<SampleCommand>(app); }

}  // namespace kvmend
