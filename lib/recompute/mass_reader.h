#pragma once
// Attention masses of one layer: read on the device, reduced on the host. For probe_attention.cpp and probe_chunks.cpp.
#include <cmath>
#include <string>
#include <vector>

#include "recompute/probe.h"
#include "recompute/rows.h"

namespace kvmend {

/// What tells one attention probe from another.
std::string key_of(const AttentionProbe& what, const std::vector<int>& layers);

/// The query as a probe has it run.
inline std::vector<std::int32_t> query_as_run(const AttentionProbe& what, const Request& request) {
  const auto& whole = request.query_ids;
  if (what.query == AttentionProbe::Query::in_place) return whole;
  if (!request.question_ids.empty()) return request.question_ids;
  return {whole.begin() + request.question_begin, whole.begin() + request.question_end};
}

/// Query rows [first, last) of the sequence's query.
struct RowRange {
  int first = 0, last = 0;
};

inline RowRange asked_rows(const AttentionProbe& what, const Request& request, int n_query) {
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

}  // namespace kvmend
