#include "experiment/run/run_record.h"

#include <fmt/format.h>
#include <unistd.h>

#include "experiment/store/run_facts.h"
#include "recompute/plugin.h"

namespace kvmend {
namespace {

/// Which strategies came from outside: file, hash, and each one's version.
Value::List describe_plugins() {
  Value::List out;
  const std::vector<StrategyInfo> known = list_strategies();
  for (const Plugin& plugin : loaded_plugins()) {
    Value entry, strategies;
    for (const StrategyInfo& info : known) {
      if (info.plugin == plugin.file) strategies.set(info.name, info.version);
    }
    entry.set("file", plugin.file.string());
    entry.set("sha256", plugin.sha256);
    entry.set("strategies", strategies);
    out.push_back(entry);
  }
  return out;
}

}  // namespace

RunRecord make_run_record(const Config& config, const Session& session, const SweepOptions& options) {
  const RunIdentity& identity = session.identity();
  RunRecord run;
  run.name = config.name;
  run.config = config.text;
  run.canonical = config.canonical();
  Value model;
  model.set("name", identity.model.name);
  model.set("weights", identity.model.weights);
  model.set("tokenizer", identity.model.tokenizer);
  model.set("chat", identity.model.chat);
  model.set("kv_bytes_per_token", kv_bytes_per_token(session.files().config(), dtype_of(config.dtype)));
  Value::List data, notes;
  for (const std::string& entry : identity.task_data) data.push_back(entry);
  for (const TaskNote& note : session.notes()) notes.push_back(note.task + ": " + note.text);
  run.models.set("model", model);
  if (!identity.aux_models.empty()) {
    Value auxiliaries;
    for (const auto& [name, auxiliary] : identity.aux_models) {
      Value entry;
      entry.set("weights", auxiliary.weights);
      entry.set("tokenizer", auxiliary.tokenizer);
      auxiliaries.set(name, entry);
    }
    run.models.set("aux", auxiliaries);
  }
  run.models.set("data", data);
  run.models.set("notes", notes);
  run.models.set("strategies", describe_strategies(config));
  if (!loaded_plugins().empty()) run.models.set("plugins", describe_plugins());
  // merge names the shards that are missing by it.
  if (options.shards > 1) run.models.set("shard", fmt::format("{}/{}", options.shard, options.shards));
  run.version = options.version;
  run.build = options.build;
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  run.host = host;
  run.device = config.device;
  run.backend = identity.backend;
  run.command = options.command_line;
  run.threads = config.threads;
  return run;
}

}  // namespace kvmend
