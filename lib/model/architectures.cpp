#include "model/architectures.h"

#include "core/error.h"
#include "model/architecture_tensors.h"
#include "model/in_quotes.h"

namespace kvmend {
namespace {

Architecture llama() {
  Architecture a;
  a.name = "llama";
  a.hf_types = {{.name = "llama"},
                {.name = "mistral", .window = WindowRule::all_layers, .default_window = 4096, .default_kv_heads = 8}};
  a.tensors = llama_tensors;
  a.optional = {Presence::qkv_bias, Presence::output_bias, Presence::mlp_bias};
  a.gguf_window = WindowRule::all_layers;
  a.gguf_interleaves_heads = true;
  return a;
}

Architecture qwen2() {
  Architecture a;
  a.name = "qwen2";
  a.hf_types = {{.name = "qwen2", .window = WindowRule::upper_layers, .default_window = 4096}};
  a.tensors = llama_tensors;
  a.base.qkv_bias = true;
  return a;
}

/// Qwen2 without biases and with a norm of each query and key head.
Architecture qwen3() {
  Architecture a;
  a.name = "qwen3";
  a.hf_types = {{.name = "qwen3",
                 .window = WindowRule::upper_layers,
                 .default_window = 4096,
                 .default_kv_heads = 32,
                 .default_head_dim = 128}};
  a.tensors = llama_tensors;
  a.base.qk_norm = true;
  a.hf_fixed = {{"attention_bias", "false"}};
  return a;
}

/// arXiv 2503.19786: five layers of a local window and their own RoPE base, then a global one.
Architecture gemma3() {
  Architecture a;
  a.name = "gemma3";
  a.hf_types = {{.name = "gemma3_text",
                 .window = WindowRule::all_but_sixth,
                 .default_window = 4096,
                 .default_kv_heads = 4,
                 .default_head_dim = 256}};
  a.tensors = gemma3_tensors;
  a.base.norm_place = NormPlace::around;
  a.base.activation = Activation::gelu_tanh;
  a.base.qk_norm = true;
  a.gguf_window = WindowRule::all_but_sixth;
  a.hf_rope_theta = 1e6;
  a.window_rope_theta = 10000;
  a.hf_tied_head = true;
  a.hf_norms_less_one = true;
  a.scales_embeddings = true;
  a.hf_keys.activation = "hidden_activation";
  a.hf_keys.default_activation = "gelu_pytorch_tanh";
  a.hf_fixed = {{"attention_bias", "false"},
                {"use_bidirectional_attention", "false"},
                {"attn_logit_softcapping", "null"},
                {"final_logit_softcapping", "null"}};
  return a;
}

/// Learned positions, LayerNorm, biases everywhere, a plain MLP; Q, K and V in one matrix, stored the other way round
/// in safetensors files. DialoGPT is one.
Architecture gpt2() {
  Architecture a;
  a.name = "gpt2";
  a.hf_types = {{.name = "gpt2"}};
  a.tensors = gpt2_tensors;
  a.base.norm = NormKind::layer;
  a.base.position = PositionKind::learned;
  a.base.activation = Activation::gelu_tanh;
  a.base.gated_mlp = false;
  a.base.qkv_bias = a.base.output_bias = a.base.mlp_bias = true;
  a.hf_norm_eps = 1e-5;
  a.hf_tied_head = true;
  a.hf_keys = {.n_layers = "n_layer",
               .d_model = "n_embd",
               .d_ff = "n_inner",
               .context_length = "n_positions",
               .n_heads = "n_head",
               .norm_eps = "layer_norm_epsilon",
               .activation = "activation_function",
               .default_activation = "gelu_new",
               .default_widening = 4};
  a.hf_fixed = {
      {"scale_attn_weights", "true"}, {"scale_attn_by_inverse_layer_idx", "false"}, {"add_cross_attention", "false"}};
  a.hf_prefix = "transformer.";
  a.unused = {".attn.bias", ".attn.masked_bias"};  // causal masks
  return a;
}

/// The encoder of sentence embeddings (MiniLM): norms behind the sums, every token sees every other, no head.
Architecture bert() {
  Architecture a;
  a.name = "bert";
  a.hf_types = {{.name = "bert"}};
  a.tensors = bert_tensors;
  a.base.norm = NormKind::layer;
  a.base.norm_place = NormPlace::after;
  a.base.position = PositionKind::learned;
  a.base.causal = false;
  a.base.activation = Activation::gelu;
  a.base.gated_mlp = false;
  a.base.qkv_bias = a.base.output_bias = a.base.mlp_bias = true;
  a.base.token_types = 2;
  a.hf_norm_eps = 1e-12;
  a.hf_tied_head = true;
  a.hf_keys.norm_eps = "layer_norm_eps";
  a.hf_keys.default_activation = "gelu";
  a.hf_fixed = {{"position_embedding_type", "\"absolute\""}, {"is_decoder", "false"}, {"add_cross_attention", "false"}};
  a.hf_prefix = "bert.";
  a.unused = {"pooler.", "cls.", "position_ids"};
  return a;
}

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all{llama(), qwen2(), qwen3(), gemma3(), gpt2(), bert()};
  return all;
}

}  // namespace

std::vector<bool> all_but_every(int period, int n_layers) {
  std::vector<bool> windowed(static_cast<std::size_t>(n_layers));
  for (int layer = 0; layer < n_layers; ++layer) windowed[static_cast<std::size_t>(layer)] = (layer + 1) % period != 0;
  return windowed;
}

std::int64_t dim_size(Dim dim, const ModelConfig& config) {
  switch (dim) {
    case Dim::one: return 1;
    case Dim::vocab: return config.vocab;
    case Dim::d_model: return config.d_model;
    case Dim::d_ff: return config.d_ff;
    case Dim::query_rows: return static_cast<std::int64_t>(config.n_heads) * config.head_dim;
    case Dim::kv_rows: return static_cast<std::int64_t>(config.n_kv_heads) * config.head_dim;
    case Dim::head: return config.head_dim;
    case Dim::positions: return config.context_length;
    case Dim::segments: return config.token_types;
  }
  return 0;
}

bool is_present(Presence presence, const ModelConfig& config) {
  switch (presence) {
    case Presence::always: return true;
    case Presence::untied_head: return !config.tied_head;
    case Presence::qkv_bias: return config.qkv_bias;
    case Presence::output_bias: return config.output_bias;
    case Presence::mlp_bias: return config.mlp_bias;
    case Presence::qk_norm: return config.qk_norm;
  }
  return false;
}

const Architecture& find_gguf_architecture(std::string_view name, const std::string& file) {
  std::string known;
  for (const auto& architecture : architectures()) {
    if (architecture.name == name) return architecture;
    known += (known.empty() ? "" : ", ") + std::string(architecture.name);
  }
  fail(ErrorKind::data, "{}: the architecture {} is not supported; known: {}", file, in_quotes(name), known);
}

HfArchitecture find_hf_architecture(std::string_view model_type, const std::string& file) {
  std::string known;
  for (const auto& architecture : architectures()) {
    for (const auto& type : architecture.hf_types) {
      if (type.name == model_type) return {architecture, type};
      known += (known.empty() ? "" : ", ") + std::string(type.name);
    }
  }
  fail(ErrorKind::data, "{}: the model_type {} is not supported; known: {}", file, in_quotes(model_type), known);
}

}  // namespace kvmend
