// Attention probes: query rows go through the layers over a cache, and their attention to the context is reduced.
#include <cmath>
#include <numeric>

#include <fmt/ranges.h>

#include "core/error.h"
#include "recompute/answer.h"
#include "recompute/rows.h"

namespace kvmend {
namespace {

/// Query rows [first, last) of the sequence's query.
struct RowRange {
  int first = 0, last = 0;
};

RowRange asked_rows(const AttentionProbe& what, const Request& request, int n_query) {
  if (what.query == AttentionProbe::Query::alone || what.rows == AttentionProbe::Rows::suffix) return {0, n_query};
  if (what.rows == AttentionProbe::Rows::last) return {n_query - 1, n_query};
  return {request.question_begin, request.question_end};
}

/// One layer's attention as the device leaves it: `parts` columns of `keys` numbers, and with value weights the squared
/// norms of each KV head's values. Downloaded at the end: no host round trip inside the pass.
struct LayerMass {
  Tensor parts, norms;
};

class MassReader {
 public:
  MassReader(const Model& model, Queue& queue, const AttentionProbe& what, int n_context, std::int64_t n_keys)
      : model_(model), queue_(queue), what_(what), n_(n_context), keys_(n_keys) {}

  /// `q`: the asked rows' queries; `rows`: which keys each of them sees.
  LayerMass read(const Tensor& q, const KvView& kv, std::span<const Visibility::Interval> rows) {
    const std::int64_t d = model_.config().head_dim, n_kv = model_.config().n_kv_heads;
    if (what_.weight == AttentionProbe::Weight::value_norm) {
      LayerMass out{parts(n_kv), parts_of(n_kv, n_)};
      const Visibility visible = queue_.visibility(rows);
      const std::int64_t width = q.cols() / n_kv;
      for (std::int64_t h = 0; h < n_kv; ++h) {
        call(q.col_range(h * width, width), of_head(kv, h * d, d), visible, out.parts.row_range(h * keys_, keys_));
        const Tensor& v = kv.base_v ? kv.base_v : kv.overlay_v;  // context rows come first in either
        queue_.row_deviation(out.norms.row_range(h * n_, n_), v.row_range(0, n_).col_range(h * d, d));
      }
      return out;
    }
    if (what_.reduce == AttentionProbe::Reduce::entropy) {
      LayerMass out{parts(q.rows()), {}};
      for (std::int64_t r = 0; r < q.rows(); ++r) {
        const Visibility visible = queue_.visibility(rows.subspan(static_cast<std::size_t>(r), 1));
        call(q.row_range(r, 1), kv, visible, out.parts.row_range(r * keys_, keys_));
      }
      return out;
    }
    LayerMass out{parts(1), {}};
    call(q, kv, queue_.visibility(rows), out.parts);
    return out;
  }

  /// [N]
  std::vector<float> reduce(const LayerMass& mass) {
    const std::vector<float> parts = downloaded(queue_, mass.parts);
    const auto n = static_cast<std::size_t>(n_), keys = static_cast<std::size_t>(keys_);
    if (!mass.norms && what_.reduce != AttentionProbe::Reduce::entropy) return {parts.begin(), parts.begin() + n_};
    std::vector<double> sum(n);
    const std::vector<float> norms = mass.norms ? downloaded(queue_, mass.norms) : std::vector<float>();
    for (std::size_t part = 0; part * keys < parts.size(); ++part) {
      for (std::size_t j = 0; j < n; ++j) {
        const double p = parts[part * keys + j];
        constexpr double epsilon = 1e-10;
        sum[j] += mass.norms ? p * std::sqrt(norms[part * n + j]) : -(p + epsilon) * std::log(p + epsilon);
      }
    }
    return {sum.begin(), sum.end()};
  }

 private:
  Tensor parts_of(std::int64_t count, std::int64_t size) {
    return model_.backend().allocate(DType::f32, count * size, 1);
  }
  Tensor parts(std::int64_t count) { return parts_of(count, keys_); }

  static KvView of_head(KvView kv, std::int64_t first, std::int64_t width) {
    for (Tensor* t : {&kv.base_k, &kv.base_v, &kv.overlay_k, &kv.overlay_v}) {
      if (*t) *t = t->col_range(first, width);
    }
    return kv;
  }

  void call(const Tensor& q, const KvView& kv, const Visibility& visible, const Tensor& out) {
    MassArgs args;
    args.q = q;
    args.kv = kv;
    args.visible = &visible;
    args.head_dim = model_.config().head_dim;
    args.scale = model_.attention_scale();
    args.heads = what_.heads == AttentionProbe::Heads::sum ? HeadReduce::sum : HeadReduce::mean;
    args.rows = what_.reduce == AttentionProbe::Reduce::max  ? RowReduce::max
                : what_.reduce == AttentionProbe::Reduce::l2 ? RowReduce::l2
                                                             : RowReduce::sum;
    args.out = out;
    queue_.attention_mass(args);
  }

  const Model& model_;
  Queue& queue_;
  const AttentionProbe& what_;
  std::int64_t n_, keys_;
};

}  // namespace

Sequence RequestProbe::probe_sequence(const AttentionProbe& what) const {
  Sequence sequence = context_.sequence();
  const int n = sequence.n_context;
  const auto& alone = request().question_ids;
  if (what.query == AttentionProbe::Query::alone) {
    const auto& query = request().query_ids;
    const std::vector<std::int32_t> question = alone.empty()
                                                   ? std::vector<std::int32_t>(query.begin() + request().question_begin,
                                                                               query.begin() + request().question_end)
                                                   : alone;
    sequence.ids.resize(static_cast<std::size_t>(n));
    sequence.ids.insert(sequence.ids.end(), question.begin(), question.end());
  }
  const auto positions = context_.positions(what.placement);
  std::copy_n(positions.begin(), n, sequence.positions.begin());
  sequence.positions.resize(sequence.ids.size());
  std::iota(sequence.positions.begin() + n, sequence.positions.end(), what.query_position.value_or(n));
  return sequence;
}

Pass RequestProbe::full_pass(const Sequence& sequence) {
  PassSpec spec;
  spec.sequence = &sequence;
  spec.active.resize(static_cast<std::size_t>(sequence.size()));
  std::iota(spec.active.begin(), spec.active.end(), 0);
  return Pass(engine_.model(), engine_.queue(), std::move(spec));
}

Pass RequestProbe::query_pass(const Sequence& sequence, const AttentionProbe& what) {
  PassSpec spec;
  spec.sequence = &sequence;
  spec.base = base(what.placement);
  for (int i = sequence.n_context; i < sequence.size(); ++i) spec.active.push_back(i);
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
  std::vector<Visibility::Interval> intervals;
  for (int i = rows.first; i < rows.last; ++i) {
    intervals.push_back({0, what.softmax == AttentionProbe::Softmax::context ? n : n + i + 1});
  }
  MassReader reader(engine_.model(), engine_.queue(), what, n, static_cast<std::int64_t>(n) + n_query);
  std::vector<LayerMass> found;
  while (found.size() < layers.size()) {
    pass.begin_layer();
    if (pass.layer() == layers[found.size()]) {
      const Tensor q = pass.q().row_range((full ? n : 0) + rows.first, rows.last - rows.first);
      found.push_back(reader.read(q, pass.view(), intervals));
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
  if (request().n_context() == 0) return std::vector<std::span<const float>>(layers.size());
  const std::string key = fmt::format(
      "attention {} {} {} {} {} {} {} {} {} {} [{}]", static_cast<int>(what.rows), static_cast<int>(what.query),
      static_cast<int>(what.states), static_cast<int>(what.softmax), static_cast<int>(what.heads),
      static_cast<int>(what.reduce), static_cast<int>(what.weight), static_cast<int>(what.cache),
      static_cast<int>(what.placement), what.query_position.value_or(-1), fmt::join(layers, ","));
  return answer(key, [&](Answer& out) { compute_attention(what, layers, out); }).rows();
}

}  // namespace kvmend
