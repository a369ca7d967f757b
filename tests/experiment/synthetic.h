#pragma once
// Stores filled with results that a formula gives, as `run` would fill them.
#include <functional>
#include <string>

#include "experiment/config/grid.h"
#include "experiment/store/run_facts.h"
#include "experiment/store/store.h"
#include "temp_folder.h"

namespace kvmend {

inline RunIdentity synthetic_identity(const Config& config) {
  RunIdentity identity;
  identity.model = {config.model, "weights of " + config.model, "tokenizer", "chatml"};
  for (const auto& variant : config.strategies) {
    if (const Value* aux = variant.strategy->canonical.find("aux_model")) {
      identity.aux_models[aux->as_string()] = {aux->as_string(), "aux weights", "aux tokenizer", "raw"};
    }
  }
  identity.backend = "cpu";
  identity.task_data.assign(config.tasks.size(), "generated");
  return identity;
}

/// 10 context tokens "a b c d e f g h i j", a prefix of 2 and two chunks of 4, query "k l".
inline SampleRecord synthetic_sample(const CellRecord& cell, int position) {
  SampleRecord s;
  s.prompts = cell.prompts;
  s.position = position;
  s.id = cell.task.substr(cell.task.find('/') + 1) + "-42-" + std::to_string(position);
  s.cluster = s.id;
  s.metric = "string_match_all";
  s.prompt_hash = "hash of " + s.id;
  s.references = {"right"};
  s.stop = {"\n"};
  s.max_new_tokens = 8;
  s.units = {{UnitKind::prefix, 0, 2}, {UnitKind::chunk, 2, 6}, {UnitKind::chunk, 6, 10}};
  s.n_context = 10;
  s.n_query = 2;
  s.question_end = 2;
  s.evidence = {{3, 5}};
  for (int i = 0; i < 12; ++i) {
    s.tokens.ids.push_back(100 + i);
    s.tokens.begin.push_back(static_cast<std::uint32_t>(s.text.size()));
    s.text += std::string(i ? " " : "") + static_cast<char>('a' + i);
    s.tokens.end.push_back(static_cast<std::uint32_t>(s.text.size()));
  }
  return s;
}

using SyntheticResult = std::function<ResultRecord(const CellRecord&, int position)>;

/// Selects the first ⌊ratio · 10⌋ tokens and is right on every second sample.
inline ResultRecord synthetic_result(const CellRecord& cell, int position) {
  ResultRecord r;
  r.cell = cell.key;
  const double ratio = cell.ratio ? *cell.ratio : cell.strategy == "full" ? 1.0 : 0.0;
  for (int i = 0; i < static_cast<int>(ratio * 10); ++i) r.outcome.selected.push_back(i);
  r.outcome.effective_ratio = ratio;
  r.outcome.layer_tokens = static_cast<std::int64_t>(ratio * 10) * 4;
  r.outcome.flops = 1e9 * (ratio + 0.1);
  r.outcome.flops_ratio = cell.strategy == "full" ? 1 : ratio + 0.1;
  r.outcome.bytes = 1e6;
  r.outcome.seconds = {0, 0.001, 0.002 * ratio, 0.01 * ratio, 0.003, 0.001};
  r.outcome.decode_seconds = 0.02;
  r.outcome.first_token = 7;
  r.outcome.prediction_ids = {7, 8};
  const bool right = position % 2 == 0;
  r.prediction = right ? "right" : "wrong";
  r.score = right ? 1 : 0;
  return r;
}

struct SyntheticRun {
  Config config;
  std::vector<CellRecord> cells;
  std::int64_t run = 0;
};

/// Adds a run of the config: samples [begin, end) of every cell. `build` names the program that ran it.
inline SyntheticRun fill_store(Store& store, const std::string& config_text, int begin, int end,
                               const SyntheticResult& result = synthetic_result, const std::string& build = "test") {
  TempFolder folder;
  SyntheticRun out;
  out.config = load_config({folder.write("synthetic.yaml", config_text)});
  const RunIdentity identity = synthetic_identity(out.config);
  for (const auto& cell : make_grid(out.config)) out.cells.push_back(make_cell_record(out.config, cell, identity));
  RunRecord run;
  run.name = out.config.name;
  run.config = config_text;
  run.canonical = out.config.canonical();
  Value model = Value::Map{};
  model.set("weights", identity.model.weights);
  model.set("kv_bytes_per_token", 1 << 20);
  run.models.set("model", model);
  run.models.set("strategies", describe_strategies(out.config));
  run.version = "0.1.0";
  run.build = build;
  run.host = "here";
  run.device = run.backend = "cpu";
  run.started = 1'000'000;
  out.run = store.begin_run(run);
  store.add_cells(out.run, out.cells);
  for (int position = begin; position < end; ++position) {
    for (std::size_t i = 0; i < out.cells.size();) {
      std::vector<ResultRecord> results;
      const std::string prompts = out.cells[i].prompts;
      const SampleRecord sample = synthetic_sample(out.cells[i], position);
      for (; i < out.cells.size() && out.cells[i].prompts == prompts; ++i)
        results.push_back(result(out.cells[i], position));
      store.put_sample(out.run, sample, results);
    }
  }
  store.end_run(out.run, "done");
  return out;
}

inline const std::string synthetic_config = R"(name: synthetic
model: tiny
tasks: [ruler/niah_single_1: {samples: 4}, ruler/vt: {samples: 4}]
strategies: [full, no_context, random: {seed: [1, 2]}, prophetkv]
ratios: [0.2, 0.5]
)";

}  // namespace kvmend
