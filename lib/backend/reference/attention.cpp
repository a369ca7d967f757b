// Attention in its three forms, one query row and head at a time.
#include <cmath>
#include <limits>
#include <numbers>

#include "backend/host/host_buffer.h"
#include "backend/reference/matrix.h"
#include "backend/reference/reference_queue.h"

namespace kvmend {

using reference::Matrix;
using reference::RowVector;

namespace {

/// The listed rows of a store, in the list's order: [n_keys, kv_heads · head_dim].
Matrix listed_rows(const Tensor& base, const Tensor& overlay, const KvView& kv) {
  const std::int32_t* slot = host_indices(kv.slots, -overlay.rows(), base.rows(), "attention: slots");
  Matrix rows(kv.n_keys, (base ? base : overlay).cols());
  for (std::int64_t i = 0; i < kv.n_keys; ++i)
    rows.row(i) = reference::read(slot[i] >= 0 ? base.row_range(slot[i], 1) : overlay.row_range(-slot[i] - 1, 1));
  return rows;
}

/// One softmax row over the keys [begin, begin + p.size()).
struct Probabilities {
  RowVector p;  ///< exp(logit) / 2^top: at most 1
  float sum = 0;
  float lse = -std::numeric_limits<float>::infinity();  ///< natural log Σ exp(logit)
};

/// The largest logit is rounded up to a power of two before it is divided out, so that rounding p to bf16 does not
/// depend on how an implementation cuts the keys into tiles.
Probabilities softmax(RowVector logits) {
  constexpr float log2e = std::numbers::log2e_v<float>, ln2 = std::numbers::ln2_v<float>;
  Probabilities result;
  if (logits.size() == 0) return result;
  logits *= log2e;
  const float top = std::ceil(logits.maxCoeff());
  result.p = logits.unaryExpr([top](float l) { return std::exp2(l - top); });
  result.sum = result.p.sum();
  result.lse = ln2 * (top + std::log2(result.sum));
  return result;
}

void apply(const Temper& temper, std::int32_t first_key, RowVector& logits) {
  for (Eigen::Index i = 0; i < logits.size(); ++i) {
    const Eigen::Index key = first_key + i;
    if (key >= temper.begin && key < temper.end) logits[i] = logits[i] * temper.scale + temper.shift;
  }
}

}  // namespace

void ReferenceQueue::do_attention(const AttentionArgs& a) {
  const Eigen::Index d = a.head_dim;
  const Eigen::Index heads = a.q.cols() / d;
  const Matrix q = rounds() ? reference::rounded(reference::read(a.q)) : reference::read(a.q);
  Matrix keys, values;
  if (a.kv.n_keys > 0) {
    keys = listed_rows(a.kv.base_k, a.kv.overlay_k, a.kv);
    values = listed_rows(a.kv.base_v, a.kv.overlay_v, a.kv);
    if (rounds()) keys = reference::rounded(keys), values = reference::rounded(values);
  }
  const Eigen::Index group = keys.cols() > 0 ? q.cols() / keys.cols() : 1;  // query heads a KV head serves
  const std::int32_t* interval = host_data<std::int32_t>(a.visible->intervals);
  Matrix out = Matrix::Zero(q.rows(), q.cols());
  Matrix lse(q.rows(), heads);
  for (Eigen::Index r = 0; r < q.rows(); ++r)
    for (Eigen::Index h = 0; h < heads; ++h) {
      const Eigen::Index begin = interval[2 * r], count = interval[2 * r + 1] - begin, kv_head = h / group;
      RowVector logits(count);
      if (count > 0)
        logits = q.row(r).segment(h * d, d) * keys.block(begin, kv_head * d, count, d).transpose() * a.scale;
      if (a.temper) apply(*a.temper, interval[2 * r], logits);
      Probabilities row = softmax(logits);
      lse(r, h) = row.lse;
      if (count == 0) continue;
      if (rounds()) row.p = reference::rounded(row.p);
      out.row(r).segment(h * d, d) = row.p * values.block(begin, kv_head * d, count, d) / row.sum;
    }
  reference::write(a.out, out);
  if (a.lse) reference::write(a.lse, lse);
}

void ReferenceQueue::do_decode_attention(const Tensor& out, const Tensor& q, std::span<const KvView> cells,
                                         int head_dim, float scale, std::span<const std::optional<Temper>> tempers) {
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const auto row = static_cast<std::int64_t>(c);
    const Visibility::Interval all{0, static_cast<std::int32_t>(cells[c].n_keys)};
    const Visibility visible = visibility({&all, 1});
    do_attention({.q = q.row_range(row, 1),
                  .kv = cells[c],
                  .visible = &visible,
                  .head_dim = head_dim,
                  .scale = scale,
                  .temper = tempers.empty() ? std::nullopt : tempers[c],
                  .out = out.row_range(row, 1),
                  .lse = {}});
  }
}

void ReferenceQueue::do_attention_mass(const MassArgs& a) {
  const Eigen::Index d = a.head_dim;
  const Eigen::Index heads = a.q.cols() / d;
  Matrix q = reference::read(a.q), keys = listed_rows(a.kv.base_k, a.kv.overlay_k, a.kv);
  if (rounds()) q = reference::rounded(q), keys = reference::rounded(keys);
  const Eigen::Index group = q.cols() / keys.cols();
  const std::int32_t* interval = host_data<std::int32_t>(a.visible->intervals);
  Matrix mass = Matrix::Zero(a.kv.n_keys, 1);
  for (Eigen::Index r = 0; r < q.rows(); ++r) {
    const Eigen::Index begin = interval[2 * r], count = interval[2 * r + 1] - begin;
    RowVector over_heads = RowVector::Zero(count);
    for (Eigen::Index h = 0; h < heads && count > 0; ++h) {
      const Probabilities row =
          softmax(q.row(r).segment(h * d, d) * keys.block(begin, h / group * d, count, d).transpose() * a.scale);
      over_heads += row.p / row.sum;
    }
    if (a.heads == HeadReduce::mean) over_heads /= static_cast<float>(heads);
    auto out = mass.col(0).segment(begin, count);
    switch (a.rows) {
      case RowReduce::sum: out += over_heads.transpose(); break;
      case RowReduce::max: out = out.cwiseMax(over_heads.transpose()).eval(); break;
      case RowReduce::l2: out += over_heads.cwiseAbs2().transpose(); break;
    }
  }
  if (a.rows == RowReduce::l2) mass = mass.cwiseSqrt().eval();
  reference::write(a.out, mass);
}

}  // namespace kvmend
