#include "apps/kvmend/dry_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "core/error.h"
#include "core/progress.h"
#include "experiment/cost_estimate.h"
#include "experiment/grid.h"
#include "experiment/missing_inputs.h"
#include "experiment/run_facts.h"
#include "experiment/session.h"
#include "recompute/engine.h"

namespace kvmend {
namespace {

/// The first and last lines of a prompt, long ones cut.
std::string excerpt(const std::string& text) {
  constexpr std::size_t head = 400, tail = 300;
  if (text.size() <= head + tail) return text;
  std::size_t from = text.size() - tail, to = head;
  while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80)
    ++from;  // whole characters only
  while (to > 0 && (static_cast<unsigned char>(text[to]) & 0xC0) == 0x80) --to;
  return text.substr(0, to) + fmt::format("\n  [… {} bytes …]\n", from - to) + text.substr(from);
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
void print_tasks(const Config& config, std::size_t cells_a_task, int limit) {
  std::size_t results = 0;
  bool counted = true;
  for (const TaskVariant& task : config.tasks) {
    const int samples = limit < 0 ? task.samples : task.samples < 0 ? limit : std::min(limit, task.samples);
    counted = counted && task.samples >= 0;
    results += cells_a_task * static_cast<std::size_t>(std::max(samples, 0));
    const std::string many = samples < 0 ? "all" : fmt::format("{}{}", task.samples < 0 ? "at most " : "", samples);
    fmt::print("task       {}: {} samples × {} cells, metric {}\n", task.label, many, cells_a_task, task.metric);
  }
  if (counted) fmt::print("results    {}\n", results);
  fmt::print("\n");
}

}  // namespace

int print_dry_run(const SweepOptions& options) {
  const Config config = load_config(options.configs, options.settings);
  for (const std::string& warning : config.warnings) fmt::print(stderr, "kvmend: warning: {}\n", warning);
  const std::vector<Cell> grid = make_grid(config);
  if (const auto missing = missing_inputs(config); !missing.empty()) {
    fmt::print("model      {}, {}\n", config.model, enum_name(config.dtype));
    print_grid(config, grid.size());
    print_tasks(config, grid.size() / config.tasks.size(), options.limit);
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

  double tokens = 0, full_flops = 0, most = 0, answers = 0, results = 0;
  for (int t = 0; t < static_cast<int>(config.tasks.size()); ++t) {
    const int samples = options.limit < 0 ? session.samples(t) : std::min(options.limit, session.samples(t));
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
    const double task_results = static_cast<double>(samples) * cells;
    results += task_results;
    most += samples * sample_cost;
    answers += task_results * cost.answer();
    fmt::print("task       {}: {} samples × {} cells = {:.0f} results, metric {}\n",
               config.tasks[static_cast<std::size_t>(t)].label, samples, cells, task_results, prompt.sample.metric);
    for (const std::string& note : session.task(t).notes()) fmt::print("  note: {}\n", note);
    fmt::print("  first prompt: {} tokens = {} context in {} units + {} query ({} of them the question)\n",
               request.n_tokens(), request.n_context(), request.units.size(), request.n_query(),
               request.question_end - request.question_begin);
    fmt::print("---\n{}\n---\n\n", excerpt(request.text));
    tokens += task_results * request.n_tokens();
    full_flops += task_results * full_prefill_flops(model, request.n_tokens());
  }
  fmt::print("results    {:.0f}: a cell's answer on one sample each\n", results);
  const auto kv = static_cast<double>(kv_bytes_per_token(model, dtype_of(config.dtype)));
  fmt::print(
      "prefill    {:.0f} tokens if every cell were a full prefill: {:.3g} FLOPs at most; shared work makes it less\n",
      tokens, full_flops);
  fmt::print("memory     {:.1f} KiB of KV cache a token\n", kv / 1024);
  // Nobody knows how long the answers will be: from a word to all that they may take.
  const double least = most - answers;
  fmt::print("time       {} to {} at 100 GFLOP/s, by how long the answers are: {:.3g} to {:.3g} FLOPs\n",
             format_duration(least / 100e9), format_duration(most / 100e9), least, most);
  return 0;
}

}  // namespace kvmend
