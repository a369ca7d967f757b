#include "model/model.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace kvmend {
namespace {

bool same_elements(const Tensor& a, const Tensor& b) { return a.buffer() == b.buffer() && a.offset() == b.offset(); }

}  // namespace

std::int64_t kv_bytes_per_token(const ModelConfig& config, DType dtype) {
  const std::int64_t width = std::int64_t{config.n_kv_heads} * config.head_dim;
  return 2 * config.n_layers * width * static_cast<std::int64_t>(dtype_bytes(dtype));
}

float Model::attention_scale() const {
  if (config_.attention_scale > 0) return config_.attention_scale;
  return 1.0F / std::sqrt(static_cast<float>(config_.head_dim));
}

Activations Model::make_activations(std::int64_t rows) const {
  return {backend_.allocate(DType::f32, rows, config_.d_model), backend_.allocate(DType::f32, rows, q_width()),
          backend_.allocate(DType::f32, rows, q_width()), backend_.allocate(DType::i32, rows, 1)};
}

LayerKv Model::make_layer_kv(std::int64_t rows) const {
  const DType dtype = backend_.compute_dtype();
  return {backend_.allocate(dtype, rows, kv_width()), backend_.allocate(dtype, rows, kv_width())};
}

void Model::normalise(Queue& queue, const Tensor& out, const Tensor& x, const Norm& norm) const {
  if (config_.norm == NormKind::layer) {
    queue.layer_norm(out, x, norm.weight, norm.bias, config_.norm_eps);
  } else {  // q/k norms: a head at a time
    queue.rms_norm(out, x, norm.weight, config_.norm_eps, static_cast<int>(x.cols() / norm.weight.cols()));
  }
}

void Model::embed(Queue& queue, const Activations& rows, std::span<const std::int32_t> ids,
                  std::span<const std::int32_t> positions) const {
  const Tensor device_ids = backend_.allocate(DType::i32, static_cast<std::int64_t>(ids.size()), 1);
  queue.upload(device_ids, ids);
  queue.upload(rows.positions, positions);
  queue.embed(rows.hidden, embedding_, device_ids, config_.embedding_scale);
  if (position_table_) {
    const Tensor learned = backend_.allocate(DType::f32, rows.hidden.rows(), config_.d_model);
    queue.embed(learned, position_table_, rows.positions);
    queue.add(rows.hidden, learned);
  }
  if (embedding_norm_.weight) normalise(queue, rows.hidden, rows.hidden, embedding_norm_);
}

void Model::project(Queue& queue, int index, const Activations& rows, const LayerKv& kv, const Tensor& unrotated,
                    const Tensor& unrotated_q) const {
  const std::int64_t row_block = backend_.product_rows();
  for (std::int64_t first = 0; first < rows.hidden.rows(); first += row_block) {
    project_block(queue, index, rows, kv, unrotated, unrotated_q, first,
                  std::min(row_block, rows.hidden.rows() - first));
  }
}

void Model::project_block(Queue& queue, int index, const Activations& rows, const LayerKv& kv, const Tensor& unrotated,
                          const Tensor& unrotated_q, std::int64_t first, std::int64_t count) const {
  const Layer& layer = layers_[static_cast<std::size_t>(index)];
  const Tensor positions = rows.positions.row_range(first, count);  // i32 [count, 1]
  const Tensor qkv = backend_.allocate(DType::f32, count, q_width() + 2 * kv_width());
  const Tensor q = qkv.col_range(0, q_width()), k = qkv.col_range(q_width(), kv_width());
  const Tensor v = qkv.col_range(q_width() + kv_width(), kv_width());

  Tensor input = rows.hidden.row_range(first, count);  // [count, d_model]
  if (layer.attn_norm.weight) {
    const Tensor normed = backend_.allocate(DType::f32, count, config_.d_model);
    normalise(queue, normed, input, layer.attn_norm);
    input = normed;
  }
  queue.matmul(qkv, input, *layer.qkv, {layer.qkv_bias, false});
  if (layer.q_norm.weight) {
    normalise(queue, q, q, layer.q_norm);
    normalise(queue, k, k, layer.k_norm);
  }
  const Tensor placed = kv.k.row_range(first, count);
  const Tensor rounded = unrotated ? unrotated.row_range(first, count) : placed;
  queue.copy(rounded, k);
  place(queue, index, placed, rounded, positions);
  if (unrotated_q) queue.copy(unrotated_q.row_range(first, count), q);
  place(queue, index, rows.q.row_range(first, count), q, positions);
  queue.copy(kv.v.row_range(first, count), v);
}

void Model::add_branch(Queue& queue, const Tensor& hidden, const Tensor& inner, const Weight& weight,
                       const Tensor& bias, const Norm& post_norm) const {
  if (config_.norm_place != NormPlace::around) {
    queue.matmul(hidden, inner, weight, {bias, true});
    if (post_norm.weight) normalise(queue, hidden, hidden, post_norm);
    return;
  }
  const Tensor branch = backend_.allocate(DType::f32, hidden.rows(), hidden.cols());
  queue.matmul(branch, inner, weight, {bias, false});
  normalise(queue, branch, branch, post_norm);
  queue.add(hidden, branch);
}

void Model::finish(Queue& queue, int index, const Activations& rows) const {
  const Layer& layer = layers_[static_cast<std::size_t>(index)];
  const std::int64_t width = config_.gated_mlp ? 2LL * config_.d_ff : config_.d_ff;
  const std::int64_t row_block = backend_.product_rows();
  for (std::int64_t first = 0; first < rows.hidden.rows(); first += row_block) {
    const std::int64_t count = std::min(row_block, rows.hidden.rows() - first);
    const Tensor hidden = rows.hidden.row_range(first, count);           // [count, d_model]
    const Tensor gate_up = backend_.allocate(DType::f32, count, width);  // [count, 2 · d_ff]; ungated: [count, d_ff]
    const Tensor inner = gate_up.col_range(0, config_.d_ff);             // [count, d_ff]

    add_branch(queue, hidden, rows.attention.row_range(first, count), *layer.output, layer.output_bias,
               layer.attn_post_norm);
    Tensor input = hidden;
    if (layer.ffn_norm.weight) {
      input = backend_.allocate(DType::f32, count, config_.d_model);
      normalise(queue, input, hidden, layer.ffn_norm);
    }
    queue.matmul(gate_up, input, *layer.gate_up, {layer.gate_up_bias, false});
    if (config_.gated_mlp) {
      queue.gated(inner, inner, gate_up.col_range(config_.d_ff, config_.d_ff), config_.activation);
    } else {
      queue.activate(inner, inner, config_.activation);
    }
    add_branch(queue, hidden, inner, *layer.down, layer.down_bias, layer.ffn_post_norm);
  }
}

Tensor Model::logits(Queue& queue, const Tensor& hidden) const {
  require(head_ != nullptr, "an encoder has no head");
  const Tensor normed = backend_.allocate(DType::f32, hidden.rows(), config_.d_model);
  const Tensor out = backend_.allocate(DType::f32, hidden.rows(), config_.vocab);
  normalise(queue, normed, hidden, output_norm_);
  queue.matmul(out, normed, *head_);
  return out;
}

void Model::place(Queue& queue, int layer, const Tensor& to, const Tensor& unrotated, const Tensor& positions) const {
  if (config_.position == PositionKind::rope) {
    queue.rope(to, unrotated, positions, rope_table(layer), config_.head_dim);
  } else if (!same_elements(to, unrotated)) {
    queue.copy(to, unrotated);
  }
}

}  // namespace kvmend
