#include "apps/kvmend/dry_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/progress.h"
#include "core/size_text.h"
#include "experiment/cost_estimate.h"
#include "experiment/grid.h"
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

/// Of a task's samples those that this shard computes: i with i mod shards = shard − 1.
int of_shard(int samples, const SweepOptions& options) {
  return (samples - options.shard + options.shards) / options.shards;
}

/// What all samples of this shard take, in every cell.
struct Work {
  double tokens = 0;      ///< of prompts
  double full_flops = 0;  ///< if each were a full prefill
  double flops = 0;       ///< CostEstimate, answers included
};

void print_head(const Session& session, std::size_t cells) {
  const Config& config = session.config();
  const ModelConfig& model = session.files().config();
  fmt::print("model      {} ({} layers, {} KV heads, context {}), {}, {}\n", config.model, model.n_layers,
             model.n_kv_heads, model.context_length, enum_name(config.dtype), session.identity().backend);
  fmt::print("strategies");
  for (const StrategyVariant& variant : config.strategies)
    fmt::print("  {}\n          ", with_note(variant.label, variant.strategy->info.note));
  fmt::print("\nratios     {}\n", fmt::join(config.ratios, ", "));
  fmt::print("grid       {} cells\n\n", cells);
}

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
  const std::string share =
      options.shards > 1 ? fmt::format(" of {} (shard {}/{})", all, options.shard, options.shards) : "";
  fmt::print("task       {}: {} samples{} × {} cells, metric {}\n", config.tasks[static_cast<std::size_t>(t)].label,
             samples, share, cells, prompt.sample.metric);
  for (const std::string& note : session.task(t).notes()) fmt::print("  note: {}\n", note);
  fmt::print("  first prompt: {} tokens = {} context in {} units + {} query ({} of them the question)\n",
             request.n_tokens(), request.n_context(), request.units.size(), request.n_query(),
             request.question_end - request.question_begin);
  fmt::print("---\n{}\n---\n\n", excerpt(request.text));
  const double prompts = static_cast<double>(samples) * static_cast<double>(cells);
  work.tokens += prompts * request.n_tokens();
  work.full_flops += prompts * full_prefill_flops(model, request.n_tokens());
  work.flops += samples * sample_cost;
}

void print_memory(const Session& session) {
  const Config& config = session.config();
  const ModelConfig& model = session.files().config();
  const DType dtype = dtype_of(config.dtype);
  const auto element = static_cast<std::int64_t>(dtype_bytes(dtype));
  const WeightNeeds needs = session.files().weight_needs();
  const std::int64_t table = needs.table_elements * element;
  const std::int64_t computed = table + needs.elements * element;
  const std::int64_t stored = table + needs.stored_bytes + needs.largest_elements * element;
  const int longest = session.longest_first_prompt();
  fmt::print("memory     about {} of weights in {}", size_text(computed), enum_name(config.dtype));
  if (session.identity().backend == "cuda" && stored < computed)
    fmt::print(" (or {}, as the file stores them, where that does not fit)", size_text(stored));
  fmt::print(" and {} for a request of {} tokens, the longest of the tasks' first prompts with its answer",
             size_text(request_bytes(model, dtype, longest)), longest);
  const std::size_t devices = device_list(config.device).size();
  if (devices > 1) fmt::print("; on each of {} devices", devices);
  if (!session.identity().aux_models.empty()) fmt::print("; auxiliary models on the CPU besides");
  fmt::print("\n           chunk caches on top, {:.1f} KiB a token, as many as have room\n",
             static_cast<double>(kv_bytes_per_token(model, dtype)) / 1024);
}

/// In seconds for a CPU only: of a card nothing is known before it is measured, and 100 GFLOP/s would be wrong a hundredfold.
void print_time(const Session& session, const Work& work) {
  fmt::print(
      "prefill    {:.0f} tokens if every cell were a full prefill: {:.3g} FLOPs at most; shared work makes it less\n",
      work.tokens, work.full_flops);
  if (session.identity().backend == "cuda") {
    fmt::print(
        "time       not known for a card: {:.3g} FLOPs, answers of full length included; `kvmend bench prefill "
        "--device "
        "cuda` says how many it does a second\n",
        work.flops);
    return;
  }
  fmt::print("time       about {} at 100 GFLOP/s, answers of full length included: {:.3g} FLOPs\n",
             format_duration(work.flops / 100e9), work.flops);
}

}  // namespace

int print_dry_run(const SweepOptions& options) {
  const Config config = load_config(options.configs, options.settings);
  for (const std::string& warning : config.warnings) fmt::print(stderr, "kvmend: warning: {}\n", warning);
  const Session session(config);
  session.check_prompts();
  session.check_samples(options.limit);
  const std::vector<Cell> grid = make_grid(config);
  print_head(session, grid.size());
  Work work;
  for (int t = 0; t < static_cast<int>(config.tasks.size()); ++t) print_task(session, t, grid, options, work);
  print_time(session, work);
  print_memory(session);
  return 0;
}

}  // namespace kvmend
