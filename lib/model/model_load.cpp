// A model's weights, from its files onto the device.
#include "core/error.h"
#include "model/model.h"
#include "model/rope.h"

namespace kvmend {

Model::Model(const ModelFiles& files, Backend& backend)
    : config_(files.config()), backend_(backend), weights_sha256_(files.sha256()) {
  backend.expect_weights(files.weight_needs());
  const auto queue = backend.make_queue();
  const WeightSource table = files.matrix("token_embd.weight", config_.vocab, config_.d_model);
  embedding_ = backend.prepare_table(table);
  if (config_.causal) {
    head_ = backend.prepare(config_.tied_head ? table : files.matrix("output.weight", config_.vocab, config_.d_model));
  }
  if (config_.norm_place == NormPlace::after) {
    embedding_norm_ = load_norm(*queue, files, "token_embd_norm", config_.d_model);
  } else {
    output_norm_ = load_norm(*queue, files, "output_norm", config_.d_model);
  }
  for (int layer = 0; layer < config_.n_layers; ++layer) layers_.push_back(load_layer(*queue, files, layer));
  load_positions(*queue, files);
  queue->finish();
}

void Model::load_positions(Queue& queue, const ModelFiles& files) {
  const auto uploaded = [&](const std::vector<float>& values, std::int64_t cols) {
    const Tensor out = backend_.allocate(DType::f32, config_.context_length, cols);
    queue.upload(out, values);
    return out;
  };
  if (config_.position == PositionKind::rope) {
    rope_table_ = uploaded(kvmend::rope_table(config_.rope, config_.context_length), config_.rope.rotary_dim);
    window_rope_table_ = rope_table_;
    if (config_.window_rope) {
      window_rope_table_ =
          uploaded(kvmend::rope_table(*config_.window_rope, config_.context_length), config_.window_rope->rotary_dim);
    }
    return;
  }
  const std::int64_t rows = config_.context_length, d = config_.d_model;
  std::vector<float> table(static_cast<std::size_t>(rows * d));
  files.matrix("position_embd.weight", rows, d).read_rows(0, rows, table.data());
  if (config_.token_types > 0) {  // every token is of segment 0, whose row joins the positions
    std::vector<float> segment(static_cast<std::size_t>(d));
    files.matrix("token_types.weight", config_.token_types, d).read_rows(0, 1, segment.data());
    for (std::size_t i = 0; i < table.size(); ++i) table[i] += segment[i % segment.size()];
  }
  position_table_ = uploaded(table, d);
}

Tensor Model::load_vector(Queue& queue, const ModelFiles& files, const std::string& name, std::int64_t size) const {
  const Tensor out = backend_.allocate(DType::f32, 1, size);
  queue.upload(out, files.vector(name, size));
  return out;
}

Model::Norm Model::load_norm(Queue& queue, const ModelFiles& files, const std::string& name, std::int64_t size) const {
  Norm norm{load_vector(queue, files, name + ".weight", size), {}};
  if (config_.norm == NormKind::layer) norm.bias = load_vector(queue, files, name + ".bias", size);
  return norm;
}

Model::Layer Model::load_layer(Queue& queue, const ModelFiles& files, int index) const {
  using Parts = std::vector<std::pair<const char*, std::int64_t>>;  // stacked matrices over one input, and their rows
  const std::string block = fmt::format("blk.{}.", index);
  const auto stacked = [&](const Parts& parts, std::int64_t cols) {
    std::vector<WeightSource> sources;
    for (const auto& [name, rows] : parts) sources.push_back(files.matrix(block + name + ".weight", rows, cols));
    return backend_.prepare(sources);
  };
  const auto stacked_bias = [&](const Parts& parts) {
    std::vector<float> all;
    for (const auto& [name, size] : parts) {
      const std::vector<float> part = files.vector(block + name + ".bias", size);
      all.insert(all.end(), part.begin(), part.end());
    }
    const Tensor out = backend_.allocate(DType::f32, 1, static_cast<std::int64_t>(all.size()));
    queue.upload(out, all);
    return out;
  };
  const auto norm = [&](const char* name, std::int64_t size) { return load_norm(queue, files, block + name, size); };

  const ModelConfig& c = config_;
  const Parts qkv{{"attn_q", q_width()}, {"attn_k", kv_width()}, {"attn_v", kv_width()}};
  const Parts output{{"attn_output", c.d_model}}, down{{"ffn_down", c.d_model}};
  Parts gate_up{{"ffn_up", c.d_ff}};
  if (c.gated_mlp) gate_up.insert(gate_up.begin(), {"ffn_gate", c.d_ff});

  Layer layer;
  if (c.norm_place != NormPlace::after) {
    layer.attn_norm = norm("attn_norm", c.d_model);
    layer.ffn_norm = norm("ffn_norm", c.d_model);
  }
  if (c.norm_place != NormPlace::before) {
    const bool around = c.norm_place == NormPlace::around;
    layer.attn_post_norm = norm(around ? "post_attention_norm" : "attn_output_norm", c.d_model);
    layer.ffn_post_norm = norm(around ? "post_ffw_norm" : "layer_output_norm", c.d_model);
  }
  layer.qkv = stacked(qkv, c.d_model);
  layer.output = stacked(output, q_width());
  layer.gate_up = stacked(gate_up, c.d_model);
  layer.down = stacked(down, c.d_ff);
  if (c.qkv_bias) layer.qkv_bias = stacked_bias(qkv);
  if (c.output_bias) layer.output_bias = stacked_bias(output);
  if (c.mlp_bias) {
    layer.gate_up_bias = stacked_bias(gate_up);
    layer.down_bias = stacked_bias(down);
  }
  if (c.qk_norm) {
    layer.q_norm = norm("attn_q_norm", c.head_dim);
    layer.k_norm = norm("attn_k_norm", c.head_dim);
  }
  return layer;
}

}  // namespace kvmend
