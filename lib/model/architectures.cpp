#include "model/architectures.h"

#include <array>

#include "core/error.h"
#include "model/in_quotes.h"

namespace kvmend {
namespace {

// Pre-norm decoder with gated MLP: Llama and what followed it.
constexpr std::array llama_tensors{
    TensorSlot{"token_embd.weight", "model.embed_tokens.weight", Dim::vocab, Dim::d_model},
    TensorSlot{"output_norm.weight", "model.norm.weight", Dim::one, Dim::d_model},
    TensorSlot{"output.weight", "lm_head.weight", Dim::vocab, Dim::d_model, Presence::untied_head},
    TensorSlot{"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight", Dim::one, Dim::d_model},
    TensorSlot{"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight", Dim::query_rows, Dim::d_model,
               Presence::always, HeadRows::query},
    TensorSlot{"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight", Dim::kv_rows, Dim::d_model,
               Presence::always, HeadRows::key},
    TensorSlot{"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight", Dim::kv_rows, Dim::d_model},
    TensorSlot{"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias", Dim::one, Dim::query_rows,
               Presence::qkv_bias, HeadRows::query},
    TensorSlot{"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", Dim::one, Dim::kv_rows,
               Presence::qkv_bias, HeadRows::key},
    TensorSlot{"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias", Dim::one, Dim::kv_rows,
               Presence::qkv_bias},
    TensorSlot{"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight", Dim::d_model, Dim::query_rows},
    TensorSlot{"blk.{}.attn_output.bias", "model.layers.{}.self_attn.o_proj.bias", Dim::one, Dim::d_model,
               Presence::output_bias},
    TensorSlot{"blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight", Dim::one, Dim::d_model},
    TensorSlot{"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight", Dim::d_ff, Dim::d_model},
    TensorSlot{"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight", Dim::d_ff, Dim::d_model},
    TensorSlot{"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight", Dim::d_model, Dim::d_ff},
    TensorSlot{"blk.{}.ffn_gate.bias", "model.layers.{}.mlp.gate_proj.bias", Dim::one, Dim::d_ff, Presence::mlp_bias},
    TensorSlot{"blk.{}.ffn_up.bias", "model.layers.{}.mlp.up_proj.bias", Dim::one, Dim::d_ff, Presence::mlp_bias},
    TensorSlot{"blk.{}.ffn_down.bias", "model.layers.{}.mlp.down_proj.bias", Dim::one, Dim::d_model,
               Presence::mlp_bias},
};

Architecture llama() {
  Architecture a;
  a.name = "llama";
  a.hf_types = {{.name = "llama"},
                {.name = "mistral", .window = WindowRule::all_layers, .default_window = 4096, .default_kv_heads = 8}};
  a.tensors = llama_tensors;
  a.optional = {Presence::qkv_bias, Presence::output_bias, Presence::mlp_bias};
  a.gguf_window = true;
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

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all{llama(), qwen2()};
  return all;
}

}  // namespace

std::int64_t dim_size(Dim dim, const ModelConfig& config) {
  switch (dim) {
    case Dim::one: return 1;
    case Dim::vocab: return config.vocab;
    case Dim::d_model: return config.d_model;
    case Dim::d_ff: return config.d_ff;
    case Dim::query_rows: return static_cast<std::int64_t>(config.n_heads) * config.head_dim;
    case Dim::kv_rows: return static_cast<std::int64_t>(config.n_kv_heads) * config.head_dim;
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
