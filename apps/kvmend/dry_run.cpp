#include "apps/kvmend/dry_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/progress.h"
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

}  // namespace

int print_dry_run(const SweepOptions& options) {
  const Config config = load_config(options.configs, options.settings);
  for (const std::string& warning : config.warnings) fmt::print(stderr, "kvmend: warning: {}\n", warning);
  const Session session(config);
  session.check_prompts();
  session.check_samples(options.limit);
  const std::vector<Cell> grid = make_grid(config);
  const ModelConfig& model = session.files().config();

  fmt::print("model      {} ({} layers, {} KV heads, context {}), {}, {}\n", config.model, model.n_layers,
             model.n_kv_heads, model.context_length, enum_name(config.dtype), session.identity().backend);
  fmt::print("strategies");
  for (const StrategyVariant& variant : config.strategies)
    fmt::print("  {}\n          ", with_note(variant.label, variant.strategy->info.note));
  fmt::print("\nratios     {}\n", fmt::join(config.ratios, ", "));
  fmt::print("grid       {} cells\n\n", grid.size());

  double tokens = 0, full_flops = 0, estimate = 0;
  for (int t = 0; t < static_cast<int>(config.tasks.size()); ++t) {
    const int samples = options.limit < 0 ? session.samples(t) : std::min(options.limit, session.samples(t));
    if (samples == 0) {
      fmt::print("task       {}: no samples\n\n", config.tasks[static_cast<std::size_t>(t)].label);
      continue;
    }
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
    estimate += samples * sample_cost;
    fmt::print("task       {}: {} samples × {} cells, metric {}\n", config.tasks[static_cast<std::size_t>(t)].label,
               samples, cells, prompt.sample.metric);
    for (const std::string& note : session.task(t).notes()) fmt::print("  note: {}\n", note);
    fmt::print("  first prompt: {} tokens = {} context in {} units + {} query ({} of them the question)\n",
               request.n_tokens(), request.n_context(), request.units.size(), request.n_query(),
               request.question_end - request.question_begin);
    fmt::print("---\n{}\n---\n\n", excerpt(request.text));
    tokens += static_cast<double>(samples) * static_cast<double>(cells) * request.n_tokens();
    full_flops +=
        static_cast<double>(samples) * static_cast<double>(cells) * full_prefill_flops(model, request.n_tokens());
  }
  const auto kv = static_cast<double>(kv_bytes_per_token(model, dtype_of(config.dtype)));
  fmt::print(
      "prefill    {:.0f} tokens if every cell were a full prefill: {:.3g} FLOPs at most; shared work makes it less\n",
      tokens, full_flops);
  fmt::print("memory     {:.1f} KiB of KV cache a token\n", kv / 1024);
  fmt::print("time       about {} at 100 GFLOP/s, answers of full length included: {:.3g} FLOPs\n",
             format_duration(estimate / 100e9), estimate);
  return 0;
}

}  // namespace kvmend
