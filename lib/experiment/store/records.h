#pragma once
// The rows of a store as structs. How they lie in SQL is schema.h's matter.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/value.h"
#include "datasets/prompt.h"
#include "experiment/config/cell.h"
#include "experiment/store/blob.h"
#include "recompute/outcome.h"
#include "recompute/request.h"
#include "recompute/strategy.h"

namespace kvmend {

/// One invocation of `run` on a store.
struct RunRecord {
  std::int64_t id = 0;  ///< within the store
  std::string uuid;     ///< the same in every store it is merged into; begin_run makes one if empty
  std::string name;
  std::string config;  ///< as written
  Value canonical;     ///< Config::canonical()
  /// model: {name, weights (SHA-256), tokenizer (fingerprint), chat, kv_bytes_per_token};
  /// aux: {NAME: {weights, tokenizer}} of the auxiliary models, where there are any;
  /// data: [Task::data_identity of each task of the config]; notes: ["TASK: what it says of its data"];
  /// strategies: {NAME: {version, source, labels, note}};
  /// plugins: [{file, sha256, strategies: {NAME: version}}], where there are any; shard: "3/4", where it was one.
  Value models;
  std::string version;  ///< kvmend's: "0.1.0"
  std::string build;    ///< compiler, options and commit: mixing them warns
  std::string host, device, backend;
  std::string command;  ///< the whole command line, quoted for a shell
  int threads = 0;
  double started = 0;   ///< Unix seconds
  double finished = 0;  ///< 0: it did not end by itself
  std::string status;   ///< "running" (killed, where it runs no more), "done", "interrupted", "failed": by an error
};

/// "0.1.0, GNU 12.2.0, Release, commit 3f2a1bc": what tells the programs apart that results are from.
std::string built_from(const RunRecord& run);

struct CellRecord {
  std::string key, prompts;   ///< CellKey
  Value canonical;            ///< CellKey
  std::string strategy;       ///< the strategy's registered name
  std::string label, series;  ///< StrategyVariant
  Value params;               ///< the strategy's canonical parameters
  std::optional<double> ratio;
  std::string task;
  Value task_params;
  std::string model;  ///< as the config wrote it
  std::string weights;
  Value chunker;
  std::string dtype, backend, chat, load_from, tokenize;
  int samples = 0;  ///< how many this run wants; −1: all that exist (`run` stores how many that is)
};
CellRecord make_cell_record(const Config& config, const Cell& cell, const RunIdentity& identity);
/// The common options that a stored cell ran with.
CommonOptions stored_options(const CellRecord& cell);

/// A prompt as it was sent, and what its answer is judged by.
struct SampleRecord {
  std::string prompts;  ///< CellKey::prompts: which cells it belongs to
  int position = 0;     ///< i of Task::sample(i)
  std::string id, cluster, metric, prompt_hash;
  std::vector<std::string> references, all_classes, stop;
  int max_new_tokens = 0;
  std::vector<Unit> units;
  int n_context = 0, n_query = 0;
  int question_begin = 0, question_end = 0;   ///< within the query, in tokens
  std::vector<std::pair<int, int>> evidence;  ///< context token ranges
  std::string text;                           ///< the prompt
  TokenTable tokens;                          ///< [n_context + n_query]
};
SampleRecord make_sample_record(const Prompt& prompt, const std::string& prompts, int position);

/// What one cell gave on one sample.
struct ResultRecord {
  std::string cell;           ///< key
  Outcome outcome;            ///< error not empty: the cell failed. Scores are stored if there are any
  std::string prediction;     ///< text, cut at the task's stops
  double score = 0;           ///< 0 to 1
  bool shared_timing = true;  ///< seconds were measured in a sweep that shares work: no isolated TTFT
};

/// The score of a prediction for a sample, by the sample's metric: what `run` stores and `rescore` repeats.
double score_prediction(const SampleRecord& sample, const std::string& prediction);

}  // namespace kvmend
