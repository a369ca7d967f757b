#include "recompute/cell_run.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "recompute/stopwatch.h"

namespace kvmend {

CellRun::CellRun(Engine& engine, ReusedContext& context, RequestProbe& probe, std::shared_ptr<const Strategy> strategy,
                 double ratio, int max_new_tokens)
    : engine_(engine),
      context_(context),
      probe_(probe),
      strategy_(std::move(strategy)),
      ratio_(ratio),
      reserve_(std::max(0, max_new_tokens - 1)) {}  // the last token is never fed back

void CellRun::prefill() { execute(make_plan()); }

Plan CellRun::make_plan() {
  const Stopwatch watch;
  probe_.start_charging();
  const Budget budget = make_budget(ratio_, context_.n_candidates(), strategy_->options.exact_rows);
  Plan plan = strategy_->selector->plan(probe_, budget);
  const bool sorted = std::is_sorted(plan.selected.begin(), plan.selected.end()) &&
                      std::adjacent_find(plan.selected.begin(), plan.selected.end()) == plan.selected.end();
  const bool inside =
      plan.selected.empty() || (plan.selected.front() >= 0 && plan.selected.back() < context_.n_candidates());
  if (!sorted || !inside) {
    fail(ErrorKind::usage, "{}: its plan selects indices that are not sorted, not distinct or not in [0, {})",
         strategy_->info.name, context_.n_candidates());
  }
  if (plan.filter) probe_.full_layers(plan.filter->first_layer);
  // Own time as measured; probes at their full cost, whoever computed them.
  outcome_.seconds.select = std::max(0.0, watch.seconds() - probe_.computed_seconds()) + probe_.charged().seconds;
  return plan;
}

Pass CellRun::start_pass(const Plan& plan) {
  const RowSight sight = strategy_->options.mask == MaskKind::bottom_right ? RowSight::bottom_right : RowSight::causal;
  if (plan.filter) return probe_.full_layers(plan.filter->first_layer).fork(reserve_, sight);
  PassSpec spec;
  spec.sequence = &sequence_;
  spec.base = base_;
  spec.active = plan.selected;
  for (int i = context_.n_candidates(); i < sequence_.size(); ++i) spec.active.push_back(i);
  spec.sight = sight;
  spec.reserve = reserve_;
  return Pass(engine_.model(), engine_.queue(), std::move(spec));
}

void CellRun::execute(const Plan& plan) {
  sequence_ = context_.sequence();
  const int n = sequence_.n_context;
  if (plan.kept) {
    sequence_.kept.assign(sequence_.ids.size(), 0);
    for (const int i : *plan.kept) sequence_.kept.at(static_cast<std::size_t>(i)) = 1;
    std::fill(sequence_.kept.begin() + n, sequence_.kept.end(), 1);
  }
  if (plan.query_position) {
    std::iota(sequence_.positions.begin() + n, sequence_.positions.end(), *plan.query_position);
  }
  last_position_ = sequence_.positions.back();
  const bool reuses = plan.filter || static_cast<int>(plan.selected.size()) < context_.n_candidates();
  if (reuses) {
    const auto& placed = context_.placed(plan.placement);
    base_ = placed.base;
    outcome_.seconds.load = placed.load_seconds;
    outcome_.seconds.place = placed.place_seconds;
  }

  Queue& queue = engine_.queue();
  queue.finish();
  const OpCost before = queue.cost();
  const Stopwatch watch;
  Pass pass = start_pass(plan);
  pass.run_until(engine_.model().config().n_layers, plan.filter ? &*plan.filter : nullptr);
  queue.finish();
  const double pass_seconds = watch.seconds();

  const Stopwatch head;
  const Tensor token = engine_.backend().allocate(DType::i32, 1, 1);
  logits_ = engine_.model().logits(queue, pass.last_hidden());
  queue.argmax(token, logits_);
  queue.download(std::span(&outcome_.first_token, 1), token);
  outcome_.seconds.first_token = head.seconds();

  record(plan, pass, queue.cost() - before, pass_seconds);
  caches_ = pass.take_caches();
  for (const LayerCache& cache : caches_) bytes_ += cache.overlay.k.bytes() + cache.overlay.v.bytes();
}

void CellRun::record(const Plan& plan, const Pass& pass, const OpCost& cost, double pass_seconds) {
  const int n = sequence_.n_context;
  const auto n_layers = engine_.model().config().n_layers;
  Outcome& out = outcome_;
  const auto split = [&](const std::vector<int>& candidates) {
    const auto end = std::lower_bound(candidates.begin(), candidates.end(), n);
    out.selected.assign(candidates.begin(), end);
    if (context_.n_candidates() > n) {
      out.selected_query.emplace();
      for (auto it = end; it != candidates.end(); ++it) out.selected_query->push_back(*it - n);
    }
  };
  if (plan.filter) {
    std::vector<int> last = pass.active();
    std::erase_if(last, [&](int i) { return i >= context_.n_candidates(); });
    split(last);
    out.selected_per_layer = pass.active_per_layer();
  } else {
    split(plan.selected);
  }
  out.kept = plan.kept;
  out.scores = plan.scores;
  out.exact_selected =
      std::count_if(out.selected.begin(), out.selected.end(), [&](int i) { return context_.is_exact(i); });
  out.layer_tokens = pass.layer_tokens();
  out.effective_ratio = n == 0 ? 0 : static_cast<double>(out.layer_tokens) / (static_cast<double>(n_layers) * n);
  out.flops = cost.flops + probe_.charged().ops.flops;
  out.bytes = cost.bytes + probe_.charged().ops.bytes;
  out.flops_ratio = out.flops / full_prefill_flops(engine_.model().config(), sequence_.size());
  // Context and query rows run in one pass; its time is divided by the rows that ran.
  const double context_rows = static_cast<double>(pass.layer_tokens());
  const double query_rows = static_cast<double>(sequence_.size() - context_.n_candidates()) * n_layers;
  out.seconds.recompute = pass_seconds * context_rows / (context_rows + query_rows);
  out.seconds.query = pass_seconds - out.seconds.recompute;
}

KvView CellRun::decode_view(int layer, int step) const {
  const LayerCache& cache = caches_[static_cast<std::size_t>(layer)];
  KvView view{{}, {}, cache.overlay.k, cache.overlay.v, cache.keys->slots, cache.keys->n_keys + step + 1};
  if (base_) {
    view.base_k = base_->layers[static_cast<std::size_t>(layer)].k;
    view.base_v = base_->layers[static_cast<std::size_t>(layer)].v;
  }
  const ModelConfig& config = engine_.model().config();
  if (engine_.model().windowed(layer)) {
    const int first_seen = decode_position(step) - config.sliding_window + 1;
    const auto& index = cache.keys->index;
    std::int64_t skip =
        std::partition_point(index.begin(), index.end(),
                             [&](int i) { return sequence_.positions[static_cast<std::size_t>(i)] < first_seen; }) -
        index.begin();
    skip += std::clamp<std::int64_t>(first_seen - decode_position(0), 0, step);
    view.slots = view.slots.row_range(skip, view.slots.rows() - skip);
    view.n_keys -= skip;
  }
  return view;
}

LayerKv CellRun::decode_slot(int layer, int step) const {
  const LayerCache& cache = caches_[static_cast<std::size_t>(layer)];
  return {cache.overlay.k.row_range(cache.used + step, 1), cache.overlay.v.row_range(cache.used + step, 1)};
}

}  // namespace kvmend
