// Attention probes: query rows go through the layers over a cache, and their attention to the context is reduced.
#include <algorithm>
#include <numeric>

#include <fmt/ranges.h>

#include "core/error.h"
#include "recompute/answer.h"
#include "recompute/mass_reader.h"
#include "recompute/pass_over.h"
#include "recompute/rows.h"

namespace kvmend {

std::string key_of(const AttentionProbe& what, const std::vector<int>& layers) {
  return fmt::format("{} {} {} {} {} {} {} {} {} {} [{}] {} [{}]", static_cast<int>(what.rows),
                     static_cast<int>(what.query), static_cast<int>(what.states), static_cast<int>(what.softmax),
                     static_cast<int>(what.heads), static_cast<int>(what.reduce), static_cast<int>(what.weight),
                     static_cast<int>(what.cache), static_cast<int>(what.placement), what.query_position.value_or(-1),
                     fmt::join(layers, ","), what.kept ? "of" : "all",
                     fmt::join(what.kept.value_or(std::vector<int>()), ","));
}

Sequence RequestProbe::probe_sequence(const AttentionProbe& what) const {
  Sequence sequence = context_.sequence();
  const int n = sequence.n_context;
  const std::vector<std::int32_t> query = query_as_run(what, request());
  sequence.ids.resize(static_cast<std::size_t>(n));
  sequence.ids.insert(sequence.ids.end(), query.begin(), query.end());
  const auto positions = context_.positions(what.placement);
  std::copy_n(positions.begin(), n, sequence.positions.begin());
  sequence.positions.resize(sequence.ids.size());
  std::iota(sequence.positions.begin() + n, sequence.positions.end(), what.query_position.value_or(n));
  if (what.kept) {
    sequence.kept.assign(sequence.ids.size(), 0);
    for (const int i : *what.kept) sequence.kept.at(static_cast<std::size_t>(i)) = 1;
    std::fill(sequence.kept.begin() + n, sequence.kept.end(), 1);
  }
  return sequence;
}

/// What a query pass scores: every reused key, also those it does not attend to itself, then its own.
KvView RequestProbe::whole_view(const Pass& pass, const AttentionProbe& what) {
  if (!what.kept) return pass.view();
  const LayerKv &reused = base(what.placement)->layer(pass.layer()), own = pass.projected();
  KvView view;
  view.base_k = reused.k;
  view.base_v = reused.v;
  view.overlay_k = own.k;
  view.overlay_v = own.v;
  std::vector<std::int32_t> slots(static_cast<std::size_t>(request().n_context()));
  std::iota(slots.begin(), slots.end(), 0);
  for (std::int64_t r = 0; r < own.k.rows(); ++r) slots.push_back(-static_cast<std::int32_t>(r) - 1);
  view.n_keys = static_cast<std::int64_t>(slots.size());
  view.slots = upload_indices(engine_.model(), engine_.queue(), slots);
  return view;
}

Pass RequestProbe::full_pass(const Sequence& sequence) {
  return Pass(engine_.model(), engine_.queue(), pass_over(sequence));
}

Pass RequestProbe::query_pass(const Sequence& sequence, const AttentionProbe& what) {
  PassSpec spec = pass_over(sequence, sequence.n_context, sequence.size());
  spec.base = base(what.placement);
  if (what.states == AttentionProbe::States::alone) spec.sight = RowSight::alone;
  return Pass(engine_.model(), engine_.queue(), std::move(spec));
}

/// As in a prefill that recomputes nothing (or everything); the last layer asked needs its projection only.
void RequestProbe::compute_attention(const AttentionProbe& what, const std::vector<int>& layers, Answer& out) {
  const Sequence sequence = probe_sequence(what);
  const bool full = what.cache == CacheSource::full;
  Pass pass = full ? full_pass(sequence) : query_pass(sequence, what);

  const int n = sequence.n_context, n_query = sequence.size() - n;
  const RowRange rows = asked_rows(what, request(), n_query);
  const ModelConfig& config = engine_.model().config();
  const auto seen_in = [&](int layer) {
    std::vector<Visibility::Interval> intervals;
    for (int i = rows.first; i < rows.last; ++i) {
      const int end = what.softmax == AttentionProbe::Softmax::context ? n : n + i + 1;
      intervals.push_back({std::min(end, sequence.first_seen(config, layer, n + i)), end});
    }
    return intervals;
  };
  MassReader reader(engine_.model(), engine_.queue(), what, n, static_cast<std::int64_t>(n) + n_query);
  std::vector<LayerMass> found;
  while (found.size() < layers.size()) {
    pass.begin_layer();
    if (pass.layer() == layers[found.size()]) {
      const Tensor q = pass.q().row_range((full ? n : 0) + rows.first, rows.last - rows.first);
      found.push_back(reader.read(q, whole_view(pass, what), seen_in(pass.layer())));
    }
    if (found.size() < layers.size()) pass.end_layer();
  }
  for (const LayerMass& mass : found) out.add(reader.reduce(mass));
}

std::vector<std::span<const float>> RequestProbe::attention(const AttentionProbe& what) {
  using A = AttentionProbe;
  const std::vector<int> layers = checked_layers(what.layers, n_layers());
  const bool sums = what.heads == A::Heads::sum && what.reduce == A::Reduce::sum;
  if (what.weight == A::Weight::value_norm && !sums) {
    fail(ErrorKind::usage, "an attention probe weighted by value norms sums over heads and rows");
  }
  if (what.cache == CacheSource::full && (what.states == A::States::alone || what.placement != Placement::global)) {
    fail(ErrorKind::usage, "an attention probe of the full prefill has its states and its positions");
  }
  if (what.cache == CacheSource::full && what.kept) {
    fail(ErrorKind::usage, "an attention probe of the full prefill keeps all context tokens");
  }
  if (request().n_context() == 0) return std::vector<std::span<const float>>(layers.size());
  const std::string key = "attention " + key_of(what, layers);
  return answer(key, [&](Answer& out) { compute_attention(what, layers, out); }).rows();
}

}  // namespace kvmend
