#pragma once
// A benchmark task: makes samples as text. Cutting them into units and tokens is prompt.h's and chunker.h's work.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/params.h"
#include "core/value.h"

namespace kvmend {

struct ByteSpan {
  std::size_t begin = 0, end = 0;
};

/// One question with its context, before any chat format: prefix + context + query + answer_prefix is the raw prompt.
struct TaskSample {
  std::string id;  ///< stable: "niah_multikey_1-42-17"
  std::string
      cluster;         ///< the question's id: samples that share it (one question, three depths) are resampled together
  std::string prefix;  ///< instruction before the context
  std::string context;
  std::vector<std::size_t> passages;  ///< byte offsets in context where a document starts; may be empty
  std::string query;                  ///< all after the context but the answer prefix
  ByteSpan question;                  ///< within query
  std::string answer_prefix;  ///< begins the assistant's turn; its leading space is stripped behind a chat header
  std::vector<std::string> references;
  std::vector<std::string> all_classes;  ///< LongBench's classification
  std::vector<ByteSpan> evidence;        ///< within context: needles, gold passages
  std::vector<std::string> stop;         ///< texts that end the answer
  int max_new_tokens = 32;
  std::string metric;  ///< eval/metric.h; the same for all samples of a task
  bool raw = false;    ///< sent without a chat format, whatever the run's is
};

/// What a task may ask while it sizes itself.
struct TaskContext {
  /// Tokens of the whole prompt as it would be sent, chat format included.
  std::function<int(const TaskSample&)> prompt_tokens;
  /// Byte spans of the tokens of a text alone: no chat format, no BOS.
  std::function<std::vector<ByteSpan>(std::string_view)> token_spans;
  int window = 0;  ///< tokens of the model's context; 0: unknown
  std::filesystem::path
      folder;  ///< relative data files are looked up here (the config's folder), then in the working directory
};

class Task {
 public:
  virtual ~Task() = default;
  virtual int size() const = 0;  ///< samples that exist
  /// Depends on the task's seed and i only.
  virtual TaskSample sample(int i) const = 0;
  /// Name and SHA-256 of what the samples are made from ("generated", "my.jsonl sha256:…"): part of cell keys.
  virtual std::string data_identity() const = 0;
  /// What a reader of the results should know: "12 of 1200 questions have their answer in no passage (kept)".
  virtual std::vector<std::string> notes() const { return {}; }
};

struct TaskInfo {
  std::string name{};  ///< "ruler/niah_multikey_1"
  std::string summary{};
  std::string source{};  ///< paper or repository
  int version = 1;
  std::string metric{};
  std::vector<std::string> groups{};                  ///< short names within the family: "niah" makes "ruler/niah"
  bool in_all = true;                                 ///< a member of "FAMILY/all"
  std::vector<std::pair<std::string, Value>> axes{};  ///< parameters that a sweep varies unless the config sets them
  std::vector<ParamInfo> params{};
};

struct TaskGroup {
  std::string name;                  ///< "ruler/niah"
  std::vector<std::string> members;  ///< full task names
};

std::vector<TaskInfo> list_tasks();  ///< by name
std::vector<TaskGroup> list_task_groups();
/// Groups: "ruler/niah" → its tasks' names; a task's own name → itself. Throws Error(usage) with the nearest name.
std::vector<std::string> expand_task_group(const std::string& name, const Location& where);

/// Checks parameters without reading data or sizing: canonical parameters, or errors collected.
Value check_task(const std::string& name, const Location& where, const Value& params, ParamErrors& errors);
/// The data sets that such a task reads and that are not where `kvmend fetch` puts them, by the names it takes.
std::vector<std::string> missing_data_sets(const std::string& name, const Value& params);
/// Reads the data and sizes the task. Throws Error(data) or Error(usage) (a length that is too short names the smallest
/// that fits).
std::unique_ptr<Task> make_task(const std::string& name, const Value& params, const TaskContext& context);

}  // namespace kvmend
