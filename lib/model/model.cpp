#include "model/model.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "model/rope.h"

namespace kvmend {
namespace {

/// Rows that go through a layer's products together: enough for the matmul's peak, few enough that the MLP's
/// inner activations stay in cache and a long prompt's do not fill the memory.
constexpr std::int64_t row_block = 512;

}  // namespace

Model::Model(const ModelFiles& files, Backend& backend)
    : config_(files.config()), backend_(backend), weights_sha256_(files.sha256()) {
  const auto queue = backend.make_queue();
  const WeightSource table = files.matrix("token_embd.weight", config_.vocab, config_.d_model);
  embedding_ = backend.prepare_table(table);
  head_ = backend.prepare(config_.tied_head ? table : files.matrix("output.weight", config_.vocab, config_.d_model));
  output_norm_ = load_vector(*queue, files, "output_norm.weight", config_.d_model);
  for (int layer = 0; layer < config_.n_layers; ++layer) layers_.push_back(load_layer(*queue, files, layer));

  const std::vector<float> angles = rope_table(config_.rope, config_.context_length);
  rope_table_ = backend.allocate(DType::f32, config_.context_length, config_.rope.rotary_dim);
  queue->upload(rope_table_, angles);
  queue->finish();
}

Tensor Model::load_vector(Queue& queue, const ModelFiles& files, const std::string& name, std::int64_t size) const {
  const Tensor out = backend_.allocate(DType::f32, 1, size);
  queue.upload(out, files.vector(name, size));
  return out;
}

Model::Layer Model::load_layer(Queue& queue, const ModelFiles& files, int index) const {
  const std::string block = fmt::format("blk.{}.", index);
  const auto matrix = [&](const char* name, std::int64_t rows, std::int64_t cols) {
    return files.matrix(block + name + ".weight", rows, cols);
  };
  const auto vector = [&](const char* name, std::int64_t size) {
    return load_vector(queue, files, block + name, size);
  };
  const auto stacked_bias = [&](std::span<const std::pair<const char*, std::int64_t>> parts) {
    std::vector<float> all;
    for (const auto& [name, size] : parts) {
      const std::vector<float> part = files.vector(block + name + ".bias", size);
      all.insert(all.end(), part.begin(), part.end());
    }
    const Tensor out = backend_.allocate(DType::f32, 1, static_cast<std::int64_t>(all.size()));
    queue.upload(out, all);
    return out;
  };

  const ModelConfig& c = config_;
  Layer layer;
  layer.attn_norm = vector("attn_norm.weight", c.d_model);
  layer.ffn_norm = vector("ffn_norm.weight", c.d_model);
  const WeightSource qkv[] = {matrix("attn_q", q_width(), c.d_model), matrix("attn_k", kv_width(), c.d_model),
                              matrix("attn_v", kv_width(), c.d_model)};
  layer.qkv = backend_.prepare(qkv);
  layer.output = backend_.prepare(matrix("attn_output", c.d_model, q_width()));
  const WeightSource gate_up[] = {matrix("ffn_gate", c.d_ff, c.d_model), matrix("ffn_up", c.d_ff, c.d_model)};
  layer.gate_up = backend_.prepare(gate_up);
  layer.down = backend_.prepare(matrix("ffn_down", c.d_model, c.d_ff));
  if (c.qkv_bias) {
    const std::pair<const char*, std::int64_t> parts[] = {
        {"attn_q", q_width()}, {"attn_k", kv_width()}, {"attn_v", kv_width()}};
    layer.qkv_bias = stacked_bias(parts);
  }
  if (c.output_bias) layer.output_bias = vector("attn_output.bias", c.d_model);
  if (c.mlp_bias) {
    const std::pair<const char*, std::int64_t> parts[] = {{"ffn_gate", c.d_ff}, {"ffn_up", c.d_ff}};
    layer.gate_up_bias = stacked_bias(parts);
    layer.down_bias = vector("ffn_down.bias", c.d_model);
  }
  if (c.qk_norm) {
    layer.q_norm = vector("attn_q_norm.weight", c.head_dim);
    layer.k_norm = vector("attn_k_norm.weight", c.head_dim);
  }
  return layer;
}

float Model::attention_scale() const { return 1.0F / std::sqrt(static_cast<float>(config_.head_dim)); }

std::int64_t Model::kv_bytes_per_token() const {
  return 2LL * config_.n_layers * kv_width() * static_cast<std::int64_t>(dtype_bytes(backend_.compute_dtype()));
}

bool Model::windowed(int layer) const {
  if (config_.sliding_window <= 0) return false;
  return config_.windowed.empty() || config_.windowed[static_cast<std::size_t>(layer)];
}

Activations Model::make_activations(std::int64_t rows) const {
  return {backend_.allocate(DType::f32, rows, config_.d_model), backend_.allocate(DType::f32, rows, q_width()),
          backend_.allocate(DType::f32, rows, q_width()), backend_.allocate(DType::i32, rows, 1)};
}

LayerKv Model::make_layer_kv(std::int64_t rows) const {
  const DType dtype = backend_.compute_dtype();
  return {backend_.allocate(dtype, rows, kv_width()), backend_.allocate(dtype, rows, kv_width())};
}

void Model::embed(Queue& queue, const Activations& rows, std::span<const std::int32_t> ids,
                  std::span<const std::int32_t> positions) const {
  const Tensor device_ids = backend_.allocate(DType::i32, static_cast<std::int64_t>(ids.size()), 1);
  queue.upload(device_ids, ids);
  queue.upload(rows.positions, positions);
  queue.embed(rows.hidden, embedding_, device_ids, config_.embedding_scale);
}

void Model::project(Queue& queue, int index, const Activations& rows, const LayerKv& kv, const Tensor& unrotated,
                    const Tensor& unrotated_q) const {
  const Layer& layer = layers_[static_cast<std::size_t>(index)];
  for (std::int64_t first = 0; first < rows.hidden.rows(); first += row_block) {
    project_block(queue, layer, rows, kv, unrotated, unrotated_q, first,
                  std::min(row_block, rows.hidden.rows() - first));
  }
}

void Model::project_block(Queue& queue, const Layer& layer, const Activations& rows, const LayerKv& kv,
                          const Tensor& unrotated, const Tensor& unrotated_q, std::int64_t first,
                          std::int64_t count) const {
  const Tensor positions = rows.positions.row_range(first, count);  // i32 [count, 1]
  const Tensor normed = backend_.allocate(DType::f32, count, config_.d_model);
  const Tensor qkv = backend_.allocate(DType::f32, count, q_width() + 2 * kv_width());
  const Tensor q = qkv.col_range(0, q_width()), k = qkv.col_range(q_width(), kv_width());
  const Tensor v = qkv.col_range(q_width() + kv_width(), kv_width());

  queue.rms_norm(normed, rows.hidden.row_range(first, count), layer.attn_norm, config_.norm_eps);
  queue.matmul(qkv, normed, *layer.qkv, {layer.qkv_bias, false});
  if (layer.q_norm) {
    queue.rms_norm(q, q, layer.q_norm, config_.norm_eps, config_.n_heads);
    queue.rms_norm(k, k, layer.k_norm, config_.norm_eps, config_.n_kv_heads);
  }
  const Tensor rounded = unrotated ? unrotated.row_range(first, count) : kv.k.row_range(first, count);
  queue.copy(rounded, k);
  queue.rope(kv.k.row_range(first, count), rounded, positions, rope_table_, config_.head_dim);
  if (unrotated_q) queue.copy(unrotated_q.row_range(first, count), q);
  queue.rope(rows.q.row_range(first, count), q, positions, rope_table_, config_.head_dim);
  queue.copy(kv.v.row_range(first, count), v);
}

void Model::finish(Queue& queue, int index, const Activations& rows) const {
  const Layer& layer = layers_[static_cast<std::size_t>(index)];
  for (std::int64_t first = 0; first < rows.hidden.rows(); first += row_block) {
    const std::int64_t count = std::min(row_block, rows.hidden.rows() - first);
    const Tensor hidden = rows.hidden.row_range(first, count);                        // [count, d_model]
    const Tensor normed = backend_.allocate(DType::f32, count, config_.d_model);      // [count, d_model]
    const Tensor gate_up = backend_.allocate(DType::f32, count, 2LL * config_.d_ff);  // [count, 2 · d_ff]
    const Tensor gate = gate_up.col_range(0, config_.d_ff);
    const Tensor up = gate_up.col_range(config_.d_ff, config_.d_ff);

    queue.matmul(hidden, rows.attention.row_range(first, count), *layer.output, {layer.output_bias, true});
    queue.rms_norm(normed, hidden, layer.ffn_norm, config_.norm_eps);
    queue.matmul(gate_up, normed, *layer.gate_up, {layer.gate_up_bias, false});
    queue.gated(gate, gate, up, config_.activation);
    queue.matmul(hidden, gate, *layer.down, {layer.down_bias, true});
  }
}

Tensor Model::logits(Queue& queue, const Tensor& hidden) const {
  const Tensor normed = backend_.allocate(DType::f32, hidden.rows(), config_.d_model);
  const Tensor out = backend_.allocate(DType::f32, hidden.rows(), config_.vocab);
  queue.rms_norm(normed, hidden, output_norm_, config_.norm_eps);
  queue.matmul(out, normed, *head_);
  return out;
}

void Model::place(Queue& queue, const Tensor& to, const Tensor& unrotated, const Tensor& positions) const {
  queue.rope(to, unrotated, positions, rope_table_, config_.head_dim);
}

}  // namespace kvmend
