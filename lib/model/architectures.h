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
};
std::int64_t dim_size(Dim dim, const ModelConfig& config);

/// Which models of an architecture have a tensor.
enum class Presence : std::uint8_t { always, untied_head, qkv_bias, output_bias, mlp_bias };
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

  bool per_layer() const { return name.find("{}") != std::string_view::npos; }
};

/// How config.json says which layers see a window only.
enum class WindowRule : std::uint8_t {
  none,
  all_layers,   ///< `sliding_window` holds for every layer (Mistral)
  upper_layers  ///< `use_sliding_window`, from layer `max_window_layers` on, or `layer_types` (Qwen2)
};

/// A `model_type` of config.json that an architecture covers, with the values its class takes for missing keys.
struct HfType {
  std::string_view name;
  WindowRule window = WindowRule::none;
  int default_window = 0;    ///< 0: none
  int default_kv_heads = 0;  ///< 0: as many as query heads
};

/// A family of models as data. Adding one that the forward pass can already run is adding an entry to the table.
struct Architecture {
  std::string_view name;  ///< GGUF's `general.architecture`
  std::vector<HfType> hf_types;
  std::span<const TensorSlot> tensors;
  ModelConfig base;  ///< what all its models have in common: norm, position, activation, fixed biases
  /// Groups of tensors that one model of the family has and another has not.
  std::vector<Presence> optional;
  bool gguf_window = false;  ///< in GGUF files, `attention.sliding_window` holds for every layer
  /// In GGUF files, rows of a Q or K head come in the order of pairs (2i, 2i + 1).
  bool gguf_interleaves_heads = false;
  double hf_rope_theta = 10000;  ///< for config.json without one
  double hf_norm_eps = 1e-6;
};

/// Throws Error(data), naming the file and what is known, for a name that is none of ours.
const Architecture& find_gguf_architecture(std::string_view name, const std::string& file);
struct HfArchitecture {
  const Architecture& architecture;
  const HfType& type;
};
HfArchitecture find_hf_architecture(std::string_view model_type, const std::string& file);

}  // namespace kvmend
