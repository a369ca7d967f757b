#include "experiment/store/records.h"

#include "eval/metric.h"

namespace kvmend {

std::string built_from(const RunRecord& run) {
  // Stores from before the two were told apart have the same in both.
  return run.version == run.build ? run.build : run.version + ", " + run.build;
}

CellRecord make_cell_record(const Config& config, const Cell& cell, const RunIdentity& identity) {
  const StrategyVariant& variant = config.strategies[static_cast<std::size_t>(cell.strategy)];
  const TaskVariant& task = config.tasks[static_cast<std::size_t>(cell.task)];
  CellKey key = cell_key(config, cell, identity);
  CellRecord record;
  record.key = std::move(key.key);
  record.prompts = std::move(key.prompts);
  record.canonical = std::move(key.canonical);
  record.strategy = variant.strategy->info.name;
  record.label = variant.label;
  record.series = variant.series;
  record.params = variant.strategy->canonical;
  record.ratio = cell.ratio;
  record.task = task.name;
  record.task_params = task.params;
  record.model = config.model;
  record.weights = identity.model.weights;
  record.chunker = config.chunkers[static_cast<std::size_t>(cell.chunker)];
  record.dtype = enum_name(config.dtype);
  record.backend = identity.backend;
  record.chat = identity.model.chat;
  record.load_from = enum_name(config.load_from);
  record.tokenize = enum_name(config.tokenize);
  record.samples = task.samples;
  return record;
}

CommonOptions stored_options(const CellRecord& cell) {
  CommonOptions options;
  ParamErrors unknown;  // the strategy's own parameters, which stand in the same map
  read_params(options, cell.params, unknown);
  return options;
}

SampleRecord make_sample_record(const Prompt& prompt, const std::string& prompts, int position) {
  SampleRecord record;
  record.prompts = prompts;
  record.position = position;
  record.id = prompt.sample.id;
  record.cluster = prompt.sample.cluster.empty() ? prompt.sample.id : prompt.sample.cluster;
  record.metric = prompt.sample.metric;
  record.prompt_hash = prompt.hash;
  record.references = prompt.sample.references;
  record.all_classes = prompt.sample.all_classes;
  record.stop = prompt.sample.stop;
  record.max_new_tokens = prompt.sample.max_new_tokens;
  record.units = prompt.request.units;
  record.n_context = prompt.request.n_context();
  record.n_query = prompt.request.n_query();
  record.question_begin = prompt.request.question_begin;
  record.question_end = prompt.request.question_end;
  record.evidence = prompt.evidence;
  record.text = prompt.request.text;
  record.tokens.ids = prompt.request.context_ids;
  record.tokens.ids.insert(record.tokens.ids.end(), prompt.request.query_ids.begin(), prompt.request.query_ids.end());
  record.tokens.begin = prompt.request.token_begin;
  record.tokens.end = prompt.request.token_end;
  return record;
}

double score_prediction(const SampleRecord& sample, const std::string& prediction) {
  return find_metric(sample.metric).score(prediction, sample.references, sample.all_classes);
}

}  // namespace kvmend
