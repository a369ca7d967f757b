#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/config.h"

namespace kvmend {

/// A size of a tensor, by what it means: the number comes from the model's configuration.
enum class Dim : std::uint8_t {
  one,
  vocab,
  d_model,
  d_ff,
  query_rows,  ///< n_heads · head_dim
  kv_rows,     ///< n_kv_heads · head_dim
  head,        ///< head_dim
  positions,   ///< context_length
  segments,    ///< token_types
};
std::int64_t dim_size(Dim dim, const ModelConfig& config);

/// Which models of an architecture have a tensor.
enum class Presence : std::uint8_t { always, untied_head, qkv_bias, output_bias, mlp_bias, qk_norm };
bool is_present(Presence presence, const ModelConfig& config);

/// Whether rows belong to heads that RoPE rotates, so that their order matters.
enum class HeadRows : std::uint8_t { no, query, key };

/// One tensor of an architecture under its two names; "{}" stands for the layer, and a name with it exists once a
/// layer. A vector has rows = one.
struct TensorSlot {
  std::string_view name;     ///< ours and GGUF's
  std::string_view hf_name;  ///< Hugging Face's
  Dim rows = Dim::one, cols = Dim::one;
  Presence presence = Presence::always;
  HeadRows head_rows = HeadRows::no;
  /// GPT-2 stores Q, K and V as one: this tensor is rows (a bias: columns) [part · rows, (part + 1) · rows) of it.
  int part = -1;
  std::string_view gguf_name = {};  ///< where it is not `name`
  bool hf_transposed = false;       ///< safetensors files have it as [cols, rows] (GPT-2's Conv1D)

  bool per_layer() const { return name.find("{}") != std::string_view::npos; }
};

/// How config.json says which layers see a window only.
enum class WindowRule : std::uint8_t {
  none,
  all_layers,    ///< `sliding_window` holds for every layer (Mistral)
  upper_layers,  ///< `use_sliding_window`, from layer `max_window_layers` on, or `layer_types` (Qwen2)
  all_but_sixth  ///< `layer_types`; without them all layers but every sixth (`sliding_window_pattern`) (Gemma 3)
};

/// Windows everywhere but in every `period`th layer, which comes last in its group.
std::vector<bool> all_but_every(int period, int n_layers);

/// A `model_type` of config.json that an architecture covers, with the values its class takes for missing keys.
struct HfType {
  std::string_view name;
  WindowRule window = WindowRule::none;
  int default_window = 0;    ///< 0: none
  int default_kv_heads = 0;  ///< 0: as many as query heads
  int default_head_dim = 0;  ///< 0: d_model / n_heads
};

/// What config.json calls the sizes.
struct HfKeys {
  std::string_view n_layers = "num_hidden_layers", d_model = "hidden_size", d_ff = "intermediate_size",
                   context_length = "max_position_embeddings", n_heads = "num_attention_heads",
                   norm_eps = "rms_norm_eps", activation = "hidden_act", default_activation = "silu";
  int default_widening = 0;  ///< d_ff where it is missing, in d_model; 0: it must be there
};

/// A key of config.json that must be missing or have this value (as JSON): another one is a model we would compute wrongly.
struct HfFixed {
  std::string_view key, value;
};

/// A family of models as data. Adding one that the forward pass can already run is adding an entry to the table.
struct Architecture {
  std::string_view name;  ///< GGUF's `general.architecture`
  std::vector<HfType> hf_types;
  std::span<const TensorSlot> tensors;  ///< the embedding comes first
  ModelConfig base;  ///< what all its models have in common: norm, position, activation, fixed biases
  /// Groups of tensors that one model of the family has and another has not.
  std::vector<Presence> optional;
  WindowRule gguf_window = WindowRule::none;  ///< what `attention.sliding_window` means in GGUF files
  /// In GGUF files, rows of a Q or K head come in the order of pairs (2i, 2i + 1).
  bool gguf_interleaves_heads = false;
  double hf_rope_theta = 10000;  ///< for config.json without one
  double window_rope_theta = 0;  ///< … and of windowed layers, also in GGUF files; 0: they rotate like the others
  double hf_norm_eps = 1e-6;
  bool hf_tied_head = false;       ///< … without `tie_word_embeddings`
  bool hf_norms_less_one = false;  ///< safetensors files have the norms' weights less 1
  bool scales_embeddings = false;  ///< by √d_model
  HfKeys hf_keys;
  std::vector<HfFixed> hf_fixed;
  std::string_view hf_prefix;            ///< that files saved from inside a larger model have before every name
  std::vector<std::string_view> unused;  ///< parts of names of tensors that the forward pass does not need
};

/// Throws Error(data), naming the file and what is known, for a name that is none of ours.
const Architecture& find_gguf_architecture(std::string_view name, const std::string& file);
struct HfArchitecture {
  const Architecture& architecture;
  const HfType& type;
};
HfArchitecture find_hf_architecture(std::string_view model_type, const std::string& file);

}  // namespace kvmend
