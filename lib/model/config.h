#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace kvmend {

enum class NormKind : std::uint8_t { rms, layer };
enum class PositionKind : std::uint8_t { rope, learned };
/// Where a layer's two branches f (attention, then MLP) are normalised; x is the residual stream.
enum class NormPlace : std::uint8_t {
  before,  ///< x + f(norm(x)): Llama, GPT-2
  around,  ///< x + norm(f(norm(x))): Gemma 3
  after,   ///< norm(x + f(x)): BERT, whose embeddings are normalised too
};

/// RoPE as the model file describes it. Angles: position · inverse frequency (model/rope.h turns this into a table).
struct RopeConfig {
  enum class Scaling : std::uint8_t { none, linear, llama3, yarn };
  double base = 10000;
  int rotary_dim = 0;  ///< columns of a head that rotate; normally head_dim
  Scaling scaling = Scaling::none;
  double factor = 1;                                 ///< linear, llama3, yarn
  double low_freq_factor = 1, high_freq_factor = 4;  ///< llama3
  int original_context = 0;                          ///< llama3, yarn
  double beta_fast = 32, beta_slow = 1;              ///< yarn
  double attention_factor = 0;                       ///< yarn; 0: 0.1·ln(factor) + 1
  bool truncate = true;                              ///< yarn: the range of the betas is rounded outward to integers
  std::vector<float> frequency_factors;  ///< [rotary_dim/2] divisors stored in some GGUF files; wins over llama3
};

/// An architecture as data: the one forward function reads it. Dimensions in elements.
struct ModelConfig {
  std::string architecture;  ///< as GGUF calls it: "llama", "qwen2", "bert"
  std::string name;          ///< the file's own name for the model, for people
  int n_layers = 0, d_model = 0, n_heads = 0, n_kv_heads = 0, head_dim = 0, d_ff = 0, vocab = 0;
  int context_length = 0;  ///< tokens the model was made for
  NormKind norm = NormKind::rms;
  NormPlace norm_place = NormPlace::before;
  float norm_eps = 1e-5F;
  PositionKind position = PositionKind::rope;  ///< learned: a table of context_length rows, added to the embeddings
  RopeConfig rope;
  std::optional<RopeConfig> window_rope;  ///< of the windowed layers, where theirs differs (Gemma 3)
  bool causal = true;                     ///< false: every token sees every other. Such an encoder has no head
  float attention_scale = 0;              ///< on q·k; 0: 1/√head_dim
  Activation activation = Activation::silu;
  bool gated_mlp = true;
  bool qkv_bias = false, output_bias = false, mlp_bias = false;
  bool qk_norm = false;
  bool tied_head = false;
  float embedding_scale = 1;
  int token_types = 0;     ///< rows of BERT's segment table; all tokens are of segment 0
  int sliding_window = 0;  ///< tokens a query sees, itself included; 0: all. Layers by `windowed` (empty: all)
  std::vector<bool> windowed;

  /// Whether this layer attends within the sliding window only.
  bool is_windowed(int layer) const {
    return sliding_window > 0 && (windowed.empty() || windowed[static_cast<std::size_t>(layer)]);
  }
  const RopeConfig& rope_of(int layer) const { return window_rope && is_windowed(layer) ? *window_rope : rope; }
};

}  // namespace kvmend
