#include "recompute/request_probe.h"

#include <algorithm>
#include <numeric>

#include <fmt/ranges.h>

#include "core/error.h"
#include "recompute/stopwatch.h"

namespace kvmend {

RequestProbe::RequestProbe(Engine& engine, ReusedContext& context, std::string sample_id)
    : engine_(engine), context_(context), sample_id_(std::move(sample_id)) {}

void RequestProbe::start_charging() {
  charged_keys_.clear();
  charged_ = {};
  computed_seconds_ = 0;
}

template <class Compute>
RequestProbe::Answer& RequestProbe::answer(const std::string& key, const Compute& compute) {
  auto found = answers_.find(key);
  if (found == answers_.end()) {
    context_.placed(Placement::global);  // loading and placing have phases of their own
    Queue& queue = engine_.queue();
    queue.finish();
    const OpCost before = queue.cost();
    const Stopwatch watch;
    Answer fresh;
    compute(fresh);
    queue.finish();
    fresh.cost = {queue.cost() - before, watch.seconds()};
    computed_seconds_ += fresh.cost.seconds;
    found = answers_.emplace(key, std::move(fresh)).first;
  }
  if (charged_keys_.insert(key).second) charged_ += found->second.cost;
  return found->second;
}

std::vector<std::span<const float>> RequestProbe::attention(const AttentionProbe& what) {
  std::vector<int> layers = what.layers;
  if (layers.empty()) {
    layers.resize(static_cast<std::size_t>(n_layers()));
    std::iota(layers.begin(), layers.end(), 0);
  }
  if (!std::is_sorted(layers.begin(), layers.end()) || layers.front() < 0 || layers.back() >= n_layers()) {
    fail(ErrorKind::usage, "layers [{}] of an attention probe must be increasing and below the model's {}",
         fmt::join(layers, ", "), n_layers());
  }
  const std::string key =
      fmt::format("attention {} {} {} {} {} [{}]", static_cast<int>(what.rows), static_cast<int>(what.states),
                  static_cast<int>(what.softmax), static_cast<int>(what.heads), static_cast<int>(what.reduce),
                  fmt::join(layers, ","));
  const Answer& found = answer(key, [&](Answer& out) { compute_attention(what, layers, out); });
  const auto n = static_cast<std::size_t>(request().n_context());
  std::vector<std::span<const float>> rows;
  for (std::size_t l = 0; l < layers.size(); ++l) rows.push_back(std::span(found.values).subspan(l * n, n));
  return rows;
}

/// The query's rows go through the layers over the reused cache, as in a prefill that recomputes nothing; at
/// each layer asked for, their attention to the context is reduced. The last one needs its projection only.
void RequestProbe::compute_attention(const AttentionProbe& what, const std::vector<int>& layers, Answer& out) {
  const Model& model = engine_.model();
  Queue& queue = engine_.queue();
  const int n = request().n_context(), n_query = request().n_query();
  PassSpec spec;
  spec.sequence = &context_.sequence();
  spec.base = context_.placed(Placement::global).base;
  for (int i = n; i < n + n_query; ++i) spec.active.push_back(i);
  if (what.states == AttentionProbe::States::alone) spec.sight = RowSight::alone;
  Pass pass(model, queue, std::move(spec));

  const bool whole = what.rows == AttentionProbe::Rows::suffix;
  const int first = whole ? 0 : request().question_begin, last = whole ? n_query : request().question_end;
  std::vector<Visibility::Interval> intervals;
  for (int i = first; i < last; ++i) {
    intervals.push_back({0, what.softmax == AttentionProbe::Softmax::context ? n : n + i + 1});
  }
  const Visibility visible = queue.visibility(intervals);

  // One row of `mass` a layer, downloaded at the end: no host round trip inside the pass.
  const auto keys = static_cast<std::int64_t>(n) + n_query;
  const Tensor mass = model.backend().allocate(DType::f32, static_cast<std::int64_t>(layers.size()) * keys, 1);
  std::size_t next = 0;
  while (next < layers.size()) {
    pass.begin_layer();
    if (pass.layer() == layers[next]) {
      MassArgs args;
      args.q = pass.q().row_range(first, last - first);
      args.kv = pass.view();
      args.visible = &visible;
      args.head_dim = model.config().head_dim;
      args.scale = model.attention_scale();
      args.heads = what.heads == AttentionProbe::Heads::sum ? HeadReduce::sum : HeadReduce::mean;
      args.rows = what.reduce == AttentionProbe::Reduce::sum   ? RowReduce::sum
                  : what.reduce == AttentionProbe::Reduce::max ? RowReduce::max
                                                               : RowReduce::l2;
      args.out = mass.row_range(static_cast<std::int64_t>(next) * keys, keys);
      queue.attention_mass(args);
      ++next;
    }
    if (next < layers.size()) pass.end_layer();
  }
  std::vector<float> host(static_cast<std::size_t>(mass.rows()));
  queue.download(host, mass);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto row = host.begin() + static_cast<std::ptrdiff_t>(l) * keys;
    out.values.insert(out.values.end(), row, row + n);
  }
}

const Pass& RequestProbe::full_layers(int layer) {
  const Answer& found = answer(fmt::format("full layers below {}", layer), [&](Answer& out) {
    PassSpec spec;
    spec.sequence = &context_.sequence();
    spec.base = context_.placed(Placement::global).base;
    spec.active.resize(static_cast<std::size_t>(context_.sequence().size()));
    std::iota(spec.active.begin(), spec.active.end(), 0);
    out.pass.emplace(engine_.model(), engine_.queue(), std::move(spec));
    out.pass->run_until(layer);
  });
  return *found.pass;
}

}  // namespace kvmend
