#pragma once
// A model on a device, and the steps of its forward pass that every user of it shares: full prefill, chunk
// prefill, selective recompute, probes and decode all go through project() and finish().
#include <memory>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "model/config.h"
#include "model/model_files.h"

namespace kvmend {

/// Keys and values of one layer: [rows, n_kv_heads · head_dim] each, in the compute dtype.
struct LayerKv {
  Tensor k, v;
};

/// Bytes of keys and values that one token takes over all layers.
std::int64_t kv_bytes_per_token(const ModelConfig& config, DType dtype);

/// Buffers that rows pass through on their way up; sized for `rows` rows, reused by every layer.
struct Activations {
  Tensor hidden;     ///< f32 [rows, d_model]: the residual stream
  Tensor q;          ///< f32 [rows, n_heads · head_dim], rotated
  Tensor attention;  ///< f32 [rows, n_heads · head_dim]
  Tensor positions;  ///< i32 [rows, 1]
};

class Model {
 public:
  /// Loads every weight onto the backend. `backend` must outlive the model. Throws Error(data) for a missing
  /// tensor, a wrong shape or a value that is not finite; OutOfMemory, before anything is read, if they do not fit.
  Model(const ModelFiles& files, Backend& backend);

  const ModelConfig& config() const { return config_; }
  Backend& backend() const { return backend_; }
  const std::string& weights_sha256() const { return weights_sha256_; }
  int kv_width() const { return config_.n_kv_heads * config_.head_dim; }
  int q_width() const { return config_.n_heads * config_.head_dim; }
  float attention_scale() const;

  Activations make_activations(std::int64_t rows) const;
  LayerKv make_layer_kv(std::int64_t rows) const;

  /// hidden = embeddings of ids, positions uploaded. Both spans are as long as the activations' rows.
  void embed(Queue& queue, const Activations& rows, std::span<const std::int32_t> ids,
             std::span<const std::int32_t> positions) const;

  /// The first half of a layer: norm, then Q, K and V of all rows. q is rotated to the rows' positions. `kv`
  /// gets the rotated keys and the values; `unrotated`, if given, the keys before RoPE, `unrotated_q` (f32) the
  /// queries. Keys are rounded to the compute dtype before they rotate, exactly as a chunk cache holds them.
  void project(Queue& queue, int layer, const Activations& rows, const LayerKv& kv, const Tensor& unrotated = {},
               const Tensor& unrotated_q = {}) const;

  /// The second half: output projection, residual, MLP, residual; reads rows.attention, updates rows.hidden.
  void finish(Queue& queue, int layer, const Activations& rows) const;

  /// f32 [n, vocab] of hidden f32 [n, d_model]. An encoder has none.
  Tensor logits(Queue& queue, const Tensor& hidden) const;

  /// Rotates a layer's stored keys to positions (i32 [n, 1]): placement of a chunk cache. `to` may be `unrotated`.
  /// Where positions are learned they are in the keys already: these are copied.
  void place(Queue& queue, int layer, const Tensor& to, const Tensor& unrotated, const Tensor& positions) const;

  /// Whether this layer attends within the sliding window only.
  bool windowed(int layer) const { return config_.is_windowed(layer); }

 private:
  struct Norm {
    Tensor weight, bias;  ///< f32 [1, n]; bias empty for RMS
  };
  struct Layer {
    Norm attn_norm, ffn_norm;            ///< in front of a branch; empty where norms stand behind the sum
    Norm attn_post_norm, ffn_post_norm;  ///< behind a branch, or behind the sum; empty where norms stand in front only
    WeightPtr qkv, output, gate_up, down;
    Tensor qkv_bias, output_bias, gate_up_bias, down_bias;  ///< f32 [1, n] or empty
    Norm q_norm, k_norm;                                    ///< [1, head_dim] or empty
  };

  Tensor load_vector(Queue& queue, const ModelFiles& files, const std::string& name, std::int64_t size) const;
  Norm load_norm(Queue& queue, const ModelFiles& files, const std::string& name, std::int64_t size) const;
  void load_positions(Queue& queue, const ModelFiles& files);
  Layer load_layer(Queue& queue, const ModelFiles& files, int index) const;
  void project_block(Queue& queue, int index, const Activations& rows, const LayerKv& kv, const Tensor& unrotated,
                     const Tensor& unrotated_q, std::int64_t first, std::int64_t count) const;
  void normalise(Queue& queue, const Tensor& out, const Tensor& x, const Norm& norm) const;
  void add_branch(Queue& queue, const Tensor& hidden, const Tensor& inner, const Weight& weight, const Tensor& bias,
                  const Norm& post_norm) const;
  const Tensor& rope_table(int layer) const { return windowed(layer) ? window_rope_table_ : rope_table_; }

  ModelConfig config_;
  Backend& backend_;
  std::string weights_sha256_;
  Tensor embedding_;
  Tensor position_table_;                  ///< f32 [context_length, d_model] of learned positions, or empty
  Tensor rope_table_, window_rope_table_;  ///< f32 [context_length, rotary_dim]; the same one where layers agree
  Norm embedding_norm_, output_norm_;
  WeightPtr head_;  ///< null for an encoder
  std::vector<Layer> layers_;
};

}  // namespace kvmend
