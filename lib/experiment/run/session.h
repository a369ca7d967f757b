#pragma once
#include <map>
#include <memory>
#include <vector>

#include "datasets/prompt.h"
#include "experiment/config/cell.h"
#include "experiment/config/config.h"
#include "model/chat.h"
#include "model/tokenizer.h"

namespace kvmend {

/// What a reader of a task's results should know (Task::notes).
struct TaskNote {
  std::string task;  ///< its label
  std::string text;  ///< "q.jsonl: 12 of 1200 questions have their answer in none of their passages (kept)"
};

/// A config with its model's files, tokenizer, chat format, tasks and chunkers opened, but no weights loaded: enough to
/// name every cell and make every prompt. Supervisor, workers, `sample` and --dry-run all make prompts here.
class Session {
 public:
  /// Throws the errors of open_model, make_tokenizer, find_chat_format, make_task and make_chunker, and those of the
  /// checks below.
  explicit Session(const Config& config);

  const Config& config() const { return config_; }
  const ModelFiles& files() const { return *files_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const RunIdentity& identity() const { return identity_; }
  const Task& task(int index) const { return *tasks_.at(static_cast<std::size_t>(index)); }
  std::vector<TaskNote> notes() const;  ///< of all tasks, in their order
  /// Samples of a task this config asks for.
  int samples(int task) const;

  /// Sample i of a task, cut by a chunker. The tokens to generate are the sample's, or the config's max_new_tokens.
  Prompt prompt(int task, int chunker, int i) const;

  /// Throws Error(usage) naming the first strategy that cannot run on this model.
  void check_strategies() const;
  /// Throws naming the first strategy that lacks something for one of the samples (at most `limit` of each task; −1: all).
  void check_samples(int limit = -1) const;
  /// Tokens of the longest of each task's first prompts and its answer.
  int longest_first_prompt() const;
  /// What a request of `tokens` tokens takes on a device, for any of the sweep's strategies.
  std::int64_t bytes_of_request(int tokens) const;
  /// Makes each task's first prompt with each chunker. Throws what that throws, and Error(usage) where it exceeds the
  /// model's context, or an auxiliary model's, naming the task or the strategy and its place.
  void check_prompts() const;

 private:
  struct Auxiliary {
    std::string name, where;  ///< where: "a.yaml:9:5: cacheclip: aux_model X: "
    std::unique_ptr<Tokenizer> tokenizer;
    ModelConfig model;
  };
  void find_auxiliaries();
  void check_auxiliaries(const Request& request) const;
  PromptOptions prompt_options(int chunker) const;

  const Config& config_;
  std::unique_ptr<ModelFiles> files_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<const ChatFormat> chat_;
  std::vector<std::unique_ptr<Chunker>> chunkers_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<Auxiliary> auxiliaries_;
  RunIdentity identity_;
};

/// A task's parameters as make_task takes them: with the sample count and the metric, which cell keys leave out.
Value full_parameters(const TaskVariant& task);

/// The backend `device` stands for: what cell keys hash ("cpu", "reference", "cuda").
std::string backend_name(const std::string& device);

}  // namespace kvmend
