#include "apps/kvmend/dry_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "backend/weight_bytes.h"
#include "core/error.h"
#include "core/progress.h"
#include "core/size_text.h"
#include "core/utf8.h"
#include "experiment/config/grid.h"
#include "experiment/run/cost_estimate.h"
#include "experiment/run/missing_inputs.h"
#include "experiment/run/session.h"
#include "experiment/store/run_facts.h"
#include "recompute/engine.h"

namespace kvmend {
namespace {

/// The first and last lines of a prompt, long ones cut.
std::string excerpt(const std::string& text) {
  constexpr std::size_t head = 400, tail = 300;
  if (text.size() <= head + tail) return text;
  const std::size_t from = utf8::ceil_boundary(text, text.size() - tail), to = utf8::floor_boundary(text, head);
  return text.substr(0, to) + fmt::format("\n  [… {} bytes …]\n", from - to) + text.substr(from);
}

/// Of a task's samples those that this shard computes: i with i mod shards = shard − 1.
int of_shard(int samples, const SweepOptions& options) {
  return (samples - options.shard + options.shards) / options.shards;
}

/// "5 samples", "2 samples of 5 (shard 1/4)"; `all` is −1 where nobody knows yet how many there are.
std::string samples_text(int all, const SweepOptions& options) {
  if (options.shards == 1) return all < 0 ? "all samples" : fmt::format("{} samples", all);
  const std::string shard = fmt::format("shard {}/{}", options.shard, options.shards);
  return all < 0 ? "all samples of " + shard : fmt::format("{} samples of {} ({})", of_shard(all, options), all, shard);
}

/// What the config alone says: strategies, ratios and the grid, in the words of the store (a cell is a strategy at a ratio on
/// a task with a chunker; a result is a cell's answer on one sample).
void print_grid(const Config& config, std::size_t cells) {
  const char* heading = "strategies";
  for (const StrategyVariant& variant : config.strategies) {
    fmt::print("{:<10} {}\n", heading, with_note(variant.label, variant.strategy->info.note));
    heading = "";
  }
  if (!config.ratios.empty()) fmt::print("ratios     {}\n", fmt::join(config.ratios, ", "));
  if (config.chunkers.size() > 1) {
    std::vector<std::string> chunkers;
    for (const Value& chunker : config.chunkers) chunkers.push_back(chunker.flow());
    fmt::print("chunkers   {}\n", fmt::join(chunkers, ", "));
  }
  const std::size_t places = config.tasks.size() * config.chunkers.size();
  fmt::print("grid       {} cells = {} strategies at their ratios × {} task{}{}\n\n", cells, cells / places,
             config.tasks.size(), config.tasks.size() == 1 ? "" : "s",
             config.chunkers.size() > 1 ? fmt::format(" × {} chunkers", config.chunkers.size()) : "");
}

/// The tasks of a config whose model or data is not here: no prompts, and no count of samples where all are asked for.
void print_tasks(const Config& config, std::size_t cells_a_task, const SweepOptions& options) {
  const int limit = options.limit;
  std::size_t results = 0;
  bool counted = true;
  for (const TaskVariant& task : config.tasks) {
    const int samples = limit < 0 ? task.samples : task.samples < 0 ? limit : std::min(limit, task.samples);
    counted = counted && task.samples >= 0;
    results += cells_a_task * static_cast<std::size_t>(of_shard(std::max(samples, 0), options));
    fmt::print("task       {}: {}{} × {} cells, metric {}\n", task.label,
               task.samples < 0 && samples >= 0 ? "at most " : "", samples_text(samples, options), cells_a_task,
               task.metric);
  }
  if (counted) fmt::print("results    {}\n", results);
  fmt::print("\n");
}

/// What all samples of this shard take, in every cell.
struct Work {
  double results = 0;
  double tokens = 0;      ///< of prompts
  double full_flops = 0;  ///< if each were a full prefill
  double least = 0;       ///< FLOPs by CostEstimate, without answers: nobody knows how long they will be
  double most = 0;        ///< with answers as long as they may be
};

void print_task(const Session& session, int t, const std::vector<Cell>& grid, const SweepOptions& options, Work& work) {
  const Config& config = session.config();
  const ModelConfig& model = session.files().config();
  const int all = options.limit < 0 ? session.samples(t) : std::min(options.limit, session.samples(t));
  if (all == 0) {
    fmt::print("task       {}: no samples\n\n", config.tasks[static_cast<std::size_t>(t)].label);
    return;
  }
  const int samples = of_shard(all, options);
  const Prompt prompt = session.prompt(t, 0, 0);
  const Request& request = prompt.request;
  const CostEstimate cost(model, prompt);
  double sample_cost = cost.shared() * static_cast<double>(config.chunkers.size());
  int cells = 0;
  for (const Cell& cell : grid) {
    if (cell.task != t) continue;
    ++cells;
    sample_cost += cost.cell(*config.strategies[static_cast<std::size_t>(cell.strategy)].strategy, cell.ratio);
  }
  const double results = static_cast<double>(samples) * cells;
  fmt::print("task       {}: {} × {} cells = {:.0f} results, metric {}\n",
             config.tasks[static_cast<std::size_t>(t)].label, samples_text(all, options), cells, results,
             prompt.sample.metric);
  for (const std::string& note : session.task(t).notes()) fmt::print("  note: {}\n", note);
  fmt::print("  first prompt: {} tokens = {} context in {} units + {} query ({} of them the question)\n",
             request.n_tokens(), request.n_context(), request.units.size(), request.n_query(),
             request.question_end - request.question_begin);
  fmt::print("---\n{}\n---\n\n", excerpt(request.text));
  work.results += results;
  work.tokens += results * request.n_tokens();
  work.full_flops += results * full_prefill_flops(model, request.n_tokens());
  work.most += samples * sample_cost;
  work.least += samples * sample_cost - results * cost.answer();
}

void print_memory(const Session& session) {
  const Config& config = session.config();
  const ModelConfig& model = session.files().config();
  const DType dtype = dtype_of(config.dtype);
  const auto [computed, stored] = weight_bytes(session.files().weight_needs(), dtype);
  const int longest = session.longest_first_prompt();
  fmt::print("memory     about {} of weights in {}", size_text(computed), enum_name(config.dtype));
  if (session.identity().backend == "cuda" && stored < computed)
    fmt::print(" (or {}, as the file stores them, where that does not fit)", size_text(stored));
  fmt::print(" and {} for a request of {} tokens, the longest of the tasks' first prompts with its answer",
             size_text(session.bytes_of_request(longest)), longest);
  const std::size_t devices = device_list(config.device).size();
  if (devices > 1) fmt::print("; on each of {} devices", devices);
  if (!session.identity().aux_models.empty()) fmt::print("; auxiliary models on the CPU besides");
  fmt::print("\n           chunk caches on top, {:.1f} KiB a token, as many as have room\n",
             static_cast<double>(kv_bytes_per_token(model, dtype)) / 1024);
}

/// In seconds for a CPU only: of a card nothing is known before it is measured, and 100 GFLOP/s would be wrong a hundredfold.
void print_work(const Session& session, const Work& work) {
  fmt::print("results    {:.0f}: a cell's answer on one sample each\n", work.results);
  fmt::print(
      "prefill    {:.0f} tokens if every cell were a full prefill: {:.3g} FLOPs at most; shared work makes it less\n",
      work.tokens, work.full_flops);
  const std::string flops = fmt::format("by how long the answers are: {:.3g} to {:.3g} FLOPs", work.least, work.most);
  if (session.identity().backend == "cuda") {
    fmt::print(
        "time       not known for a card, {}; `kvmend bench prefill --device cuda` says how many it does a second\n",
        flops);
    return;
  }
  fmt::print("time       {} to {} at 100 GFLOP/s, {}\n", format_duration(work.least / 100e9),
             format_duration(work.most / 100e9), flops);
}

}  // namespace

int print_dry_run(const SweepOptions& options) {
  const Config config = load_config(options.configs, options.settings);
  for (const std::string& warning : config.warnings) fmt::print(stderr, "kvmend: warning: {}\n", warning);
  const std::vector<Cell> grid = make_grid(config);
  if (const auto missing = missing_inputs(config); !missing.empty()) {
    fmt::print("model      {}, {}\n", config.model, enum_name(config.dtype));
    print_grid(config, grid.size());
    print_tasks(config, grid.size() / config.tasks.size(), options);
    std::fflush(stdout);
    fail(ErrorKind::data, "prompts, memory and time are not known yet:\n  {}", fmt::join(missing, "\n  "));
  }
  const Session session(config);
  session.check_prompts();
  session.check_samples(options.limit);
  const ModelConfig& model = session.files().config();
  fmt::print("model      {} ({} layers, {} KV heads, context {}), {}, {}\n", config.model, model.n_layers,
             model.n_kv_heads, model.context_length, enum_name(config.dtype), session.identity().backend);
  print_grid(config, grid.size());
  Work work;
  for (int t = 0; t < static_cast<int>(config.tasks.size()); ++t) print_task(session, t, grid, options, work);
  print_work(session, work);
  print_memory(session);
  return 0;
}

}  // namespace kvmend
