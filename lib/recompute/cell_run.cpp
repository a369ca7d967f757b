#include "recompute/cell_run.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "recompute/arrange.h"
#include "recompute/chunk_stream.h"
#include "recompute/exposed_load.h"
#include "recompute/stopwatch.h"

namespace kvmend {

CellRun::CellRun(Engine& engine, RequestProbe& probe, std::shared_ptr<const Strategy> strategy, double ratio,
                 int max_new_tokens)
    : engine_(engine),
      root_(probe),
      probe_(&probe),
      strategy_(std::move(strategy)),
      ratio_(ratio),
      reserve_(std::max(0, max_new_tokens - 1)) {}  // the last token is never fed back

namespace {

using Pick = decltype(LayerFilter::pick);

/// A selector's choice inside the pass, refused by the strategy's name where it is no choice of the rows it was given.
Pick checked_pick(Pick pick, std::string name) {
  return [pick = std::move(pick), name = std::move(name)](int layer, std::span<const int> rows,
                                                          std::span<const float> keys, std::span<const float> values) {
    std::vector<int> chosen = pick(layer, rows, keys, values);
    const bool sorted = std::adjacent_find(chosen.begin(), chosen.end(), std::greater_equal<>()) == chosen.end();
    if (!sorted || !std::includes(rows.begin(), rows.end(), chosen.begin(), chosen.end())) {
      fail(ErrorKind::usage, "{}: its filter picks rows at layer {} that are not sorted, not distinct or not active",
           name, layer);
    }
    return chosen;
  };
}

}  // namespace

void CellRun::prefill() { execute(make_plan()); }

Plan CellRun::make_plan() {
  const Stopwatch watch;
  root_.start_charging();
  const Budget budget = make_budget(ratio_, context().n_candidates(), strategy_->options.exact_rows);
  Plan plan = strategy_->selector->plan(root_, budget);
  if (plan.order) probe_ = &root_.arrangement(units_in_order(root_.request().units, *plan.order));
  check_plan(plan);
  if (plan.filter) plan.filter->pick = checked_pick(plan.filter->pick, strategy_->info.name);
  const CommonOptions& options = strategy_->options;
  temper_ = {static_cast<float>(options.temperature), static_cast<float>(options.temper_scale), plan.split_softmax};
  if (plan.filter) probe_->full_layers(plan.filter->first_layer, temper_, options.write_back);
  plan_seconds_ = std::max(0.0, watch.seconds() - root_.computed_seconds());
  return plan;
}

void CellRun::check_plan(const Plan& plan) const {
  const auto check = [&](const std::vector<int>& indices, const char* what, int n) {
    const bool sorted = std::adjacent_find(indices.begin(), indices.end(), std::greater_equal<>()) == indices.end();
    const bool inside = indices.empty() || (indices.front() >= 0 && indices.back() < n);
    if (sorted && inside) return;
    fail(ErrorKind::usage, "{}: its plan {} indices that are not sorted, not distinct or not in [0, {})",
         strategy_->info.name, what, n);
  };
  check(plan.selected, "selects", context().n_candidates());
  if (plan.kept) check(*plan.kept, "keeps", context().request().n_context());
  if (plan.query_position) {
    const int first = *plan.query_position, context_length = engine_.model().config().context_length;
    const std::int64_t end = std::int64_t{first} + context().request().n_query() + reserve_;
    if (first < 0 || end > context_length) {
      fail(ErrorKind::usage, "{}: its plan puts the query and its answer at positions [{}, {}), the model has {}",
           strategy_->info.name, first, end, context_length);
    }
  }
  const bool splits_selection = plan.split_softmax && (plan.filter || !plan.selected.empty());
  if (splits_selection) {
    fail(ErrorKind::usage, "{}: a split softmax is for plans that recompute nothing", strategy_->info.name);
  }
  if (plan.decode_repair && plan.split_softmax) {
    fail(ErrorKind::usage, "{}: recomputation while decoding needs one softmax", strategy_->info.name);
  }
  if (plan.correct_reused && (plan.filter || plan.kept || plan.split_softmax)) {
    fail(ErrorKind::usage, "{}: a correction of reused rows goes with a plain selection only", strategy_->info.name);
  }
}

PassSpec CellRun::pass_spec(const Plan& plan) const {
  const CommonOptions& options = strategy_->options;
  PassSpec spec;
  spec.sequence = &sequence_;
  spec.base = base_;
  if (plan.correct_reused && base_) spec.unrotated = probe_->context().unrotated();
  spec.active = plan.selected;
  for (int i = context().n_candidates(); i < sequence_.size(); ++i) spec.active.push_back(i);
  spec.sight = options.mask == MaskKind::bottom_right ? RowSight::bottom_right : RowSight::causal;
  spec.temper = temper_;
  spec.write_back = options.write_back;
  spec.reserve = reserve_ + repair_rows(plan.decode_repair, reserve_);
  return spec;
}

void CellRun::set_up_sequence(const Plan& plan) {
  sequence_ = context().sequence();
  const int n = sequence_.n_context;
  if (plan.kept) {
    sequence_.kept.assign(sequence_.ids.size(), 0);
    for (const int i : *plan.kept) sequence_.kept[static_cast<std::size_t>(i)] = 1;
    std::fill(sequence_.kept.begin() + n, sequence_.kept.end(), 1);
  }
  if (plan.placement != Placement::global) {
    const auto positions = context().positions(plan.placement);
    std::copy_n(positions.begin(), n, sequence_.positions.begin());
  }
  if (plan.query_position) {
    std::iota(sequence_.positions.begin() + n, sequence_.positions.end(), *plan.query_position);
  }
  last_position_ = sequence_.positions.back();
}

void CellRun::execute(const Plan& plan) {
  set_up_sequence(plan);
  const bool reuses = plan.filter || static_cast<int>(plan.selected.size()) < context().n_candidates();
  const Charge* own = nullptr;
  const ReusedContext::Placed* placed = nullptr;
  // Whether a probe goes through all of the base's layers before the pass does.
  const bool probed = reuses && !plan.filter && context().used(plan.placement, root_.ledger());
  if (reuses) {
    placed = &context().placed(plan.placement, root_.ledger());
    base_ = placed->base;
    own = &placed->charge;
  }
  const PassSpec spec = pass_spec(plan);
  Queue& queue = engine_.queue();
  queue.finish();
  root_.ledger().settle();
  const OpCost before = queue.cost();
  const ProbeCost placed_before = context().placed_meanwhile();
  const Stopwatch watch;
  const WriteBack write_back = strategy_->options.write_back;
  Pass pass = plan.filter ? probe_->full_layers(plan.filter->first_layer, temper_, write_back).fork(spec)
                          : Pass(engine_.model(), queue, spec);
  pass.run_until(engine_.model().config().n_layers, plan.filter ? &*plan.filter : nullptr);
  queue.finish();
  const double whole_seconds = watch.seconds();
  root_.ledger().settle();  // layers that came from the host were placed beside the pass
  const ProbeCost placed_meanwhile = context().placed_meanwhile() - placed_before;
  const double pass_seconds = std::max(0.0, whole_seconds - placed_meanwhile.seconds);
  if (own != nullptr) {  // known now: layers that came from the host were placed as the pass reached them
    outcome_.seconds.place = own->cost.seconds;
    outcome_.seconds.load = context().load_seconds();
    if (placed->stream) {
      const double beside = probed ? root_.ledger().charged().seconds : pass_seconds;
      outcome_.seconds.load += exposed_load(placed->stream->arrivals(), beside, ChunkStream::ahead);
    }
  }
  // Own time as measured; probes at their full cost, whoever computed them.
  outcome_.seconds.select = plan_seconds_ + root_.charged_seconds(own, outcome_.seconds.load + outcome_.seconds.place);

  const Stopwatch head;
  const Tensor token = engine_.backend().allocate(DType::i32, 1, 1);
  logits_ = engine_.model().logits(queue, pass.last_hidden());
  queue.argmax(token, logits_);
  queue.download(std::span(&outcome_.first_token, 1), token);
  outcome_.seconds.first_token = head.seconds();

  record(plan, pass, queue.cost() - before - placed_meanwhile.ops, pass_seconds);
  caches_ = pass.take_caches();
  for (const LayerCache& cache : caches_) bytes_ += cache.overlay.k.bytes() + cache.overlay.v.bytes();
  if (plan.decode_repair && base_) {
    repairer_ =
        std::make_unique<DecodeRepairer>(engine_, sequence_, caches_, outcome_, base_, *plan.decode_repair, reserve_);
  }
}

void CellRun::record(const Plan& plan, const Pass& pass, const OpCost& cost, double pass_seconds) {
  const int n = sequence_.n_context;
  const auto n_layers = engine_.model().config().n_layers;
  Outcome& out = outcome_;
  const auto split = [&](const std::vector<int>& candidates) {
    const auto end = std::lower_bound(candidates.begin(), candidates.end(), n);
    out.selected.assign(candidates.begin(), end);
    if (context().n_candidates() > n) {
      out.selected_query.emplace();
      for (auto it = end; it != candidates.end(); ++it) out.selected_query->push_back(*it - n);
    }
  };
  if (plan.filter) {
    std::vector<int> last = pass.active();
    std::erase_if(last, [&](int i) { return i >= context().n_candidates(); });
    split(last);
    out.selected_per_layer = pass.active_per_layer();
  } else {
    split(plan.selected);
  }
  out.kept = plan.kept;
  record_order(plan);
  out.scores = plan.scores;
  out.exact_selected =
      std::count_if(out.selected.begin(), out.selected.end(), [&](int i) { return context().is_exact(i); });
  out.layer_tokens = pass.layer_tokens();
  out.effective_ratio = n == 0 ? 0 : static_cast<double>(out.layer_tokens) / (static_cast<double>(n_layers) * n);
  const OpCost total = [&] {
    OpCost sum = cost;
    sum += root_.charged_ops();
    return sum;
  }();
  out.flops = total.flops;
  out.bytes = total.bytes;
  out.flops_ratio = out.flops / full_prefill_flops(engine_.model().config(), sequence_.size());
  // Context and query rows run in one pass; its time is divided by the rows that ran. Query rows that were chosen
  // (freshness: last_token) are the query's.
  const double context_rows = static_cast<double>(pass.layer_tokens());
  const double query_rows = static_cast<double>(pass.query_tokens());
  out.seconds.recompute = pass_seconds * context_rows / (context_rows + query_rows);
  out.seconds.query = pass_seconds - out.seconds.recompute;
}

void CellRun::record_order(const Plan& plan) {
  if (!plan.order) return;
  const std::vector<Unit>& units = root_.request().units;
  const std::vector<int> from = original_indices(units, units_in_order(units, *plan.order));
  outcome_.order = plan.order;
  outcome_.selected_original.emplace();
  for (const int i : outcome_.selected) outcome_.selected_original->push_back(from[static_cast<std::size_t>(i)]);
  std::sort(outcome_.selected_original->begin(), outcome_.selected_original->end());
}

KvView CellRun::decode_view(int layer, int step) const {
  const LayerCache& cache = caches_[static_cast<std::size_t>(layer)];
  KvView view{{}, {}, cache.overlay.k, cache.overlay.v, cache.keys->slots, cache.keys->n_keys + step + 1};
  if (base_) {
    view.base_k = base_->layer(layer).k;
    view.base_v = base_->layer(layer).v;
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

std::optional<Temper> CellRun::decode_temper(int layer, int step) const {
  if (!temper_.active() || temper_.split) return std::nullopt;
  const LayerCache& cache = caches_[static_cast<std::size_t>(layer)];
  const auto skipped = static_cast<std::int32_t>(cache.keys->n_keys + step + 1 - decode_view(layer, step).n_keys);
  return Temper{std::max(0, cache.keys->chunks_begin - skipped), std::max(0, cache.keys->chunks_end - skipped),
                1 / temper_.temperature, std::log(temper_.scale)};
}

void CellRun::attend_split(int layer, int step, const Tensor& q, const Tensor& out) {
  const KeyList& keys = *caches_[static_cast<std::size_t>(layer)].keys;
  Queue& queue = engine_.queue();
  Backend& backend = engine_.backend();
  const Model& model = engine_.model();
  const auto attend = [&](Visibility::Interval seen, float scale) {
    const Visibility visible = queue.visibility({&seen, 1});
    AttentionArgs args;
    args.q = q;
    args.kv = decode_view(layer, step);
    args.visible = &visible;
    args.head_dim = model.config().head_dim;
    args.scale = scale;
    args.out = backend.allocate(DType::f32, 1, q.cols());
    args.lse = backend.allocate(DType::f32, 1, model.config().n_heads);
    queue.attention(args);
    return std::pair{args.out, args.lse};
  };
  const auto [chunks, chunks_lse] = attend({0, keys.chunks_end}, model.attention_scale() / temper_.temperature);
  const auto end = static_cast<std::int32_t>(keys.n_keys + step + 1);
  const auto [others, others_lse] = attend({keys.chunks_end, end}, model.attention_scale());
  queue.join_attention(out, chunks, chunks_lse, others, others_lse, temper_.lse_factor());
}

LayerKv CellRun::decode_slot(int layer, int step) const {
  const LayerCache& cache = caches_[static_cast<std::size_t>(layer)];
  return {cache.overlay.k.row_range(cache.used + step, 1), cache.overlay.v.row_range(cache.used + step, 1)};
}

}  // namespace kvmend
