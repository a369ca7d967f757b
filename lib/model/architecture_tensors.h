#pragma once
// The tensors of each architecture under their names in GGUF and in Hugging Face's files.
#include <array>

#include "model/architectures.h"

namespace kvmend {

// Pre-norm decoder with gated MLP: Llama and what followed it.
inline constexpr std::array llama_tensors{
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
    TensorSlot{"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight", Dim::one, Dim::head,
               Presence::qk_norm},
    TensorSlot{"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight", Dim::one, Dim::head,
               Presence::qk_norm},
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

/// Norms on both sides of each branch, and of each query and key head.
inline constexpr std::array gemma3_tensors{
    TensorSlot{"token_embd.weight", "model.embed_tokens.weight", Dim::vocab, Dim::d_model},
    TensorSlot{"output_norm.weight", "model.norm.weight", Dim::one, Dim::d_model},
    TensorSlot{"output.weight", "lm_head.weight", Dim::vocab, Dim::d_model, Presence::untied_head},
    TensorSlot{"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight", Dim::one, Dim::d_model},
    TensorSlot{"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight", Dim::query_rows, Dim::d_model},
    TensorSlot{"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight", Dim::kv_rows, Dim::d_model},
    TensorSlot{"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight", Dim::kv_rows, Dim::d_model},
    TensorSlot{"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight", Dim::one, Dim::head},
    TensorSlot{"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight", Dim::one, Dim::head},
    TensorSlot{"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight", Dim::d_model, Dim::query_rows},
    TensorSlot{"blk.{}.post_attention_norm.weight", "model.layers.{}.post_attention_layernorm.weight", Dim::one,
               Dim::d_model},
    TensorSlot{"blk.{}.ffn_norm.weight", "model.layers.{}.pre_feedforward_layernorm.weight", Dim::one, Dim::d_model},
    TensorSlot{"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight", Dim::d_ff, Dim::d_model},
    TensorSlot{"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight", Dim::d_ff, Dim::d_model},
    TensorSlot{"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight", Dim::d_model, Dim::d_ff},
    TensorSlot{"blk.{}.post_ffw_norm.weight", "model.layers.{}.post_feedforward_layernorm.weight", Dim::one,
               Dim::d_model},
};

/// GPT-2's matrices lie transposed in safetensors files …
constexpr TensorSlot gpt2_matrix(std::string_view name, std::string_view hf_name, Dim rows, Dim cols) {
  TensorSlot slot{name, hf_name, rows, cols};
  slot.hf_transposed = true;
  return slot;
}

/// … and its Q, K and V are thirds of one tensor.
constexpr TensorSlot gpt2_third(std::string_view name, std::string_view gguf_name, std::string_view hf_name, int part) {
  const bool bias = name.ends_with("bias");
  TensorSlot slot =
      bias ? TensorSlot{name, hf_name, Dim::one, Dim::d_model} : gpt2_matrix(name, hf_name, Dim::d_model, Dim::d_model);
  slot.part = part;
  slot.gguf_name = gguf_name;
  return slot;
}

inline constexpr std::array gpt2_tensors{
    TensorSlot{"token_embd.weight", "wte.weight", Dim::vocab, Dim::d_model},
    TensorSlot{"position_embd.weight", "wpe.weight", Dim::positions, Dim::d_model},
    TensorSlot{"output_norm.weight", "ln_f.weight", Dim::one, Dim::d_model},
    TensorSlot{"output_norm.bias", "ln_f.bias", Dim::one, Dim::d_model},
    TensorSlot{"output.weight", "lm_head.weight", Dim::vocab, Dim::d_model, Presence::untied_head},
    TensorSlot{"blk.{}.attn_norm.weight", "h.{}.ln_1.weight", Dim::one, Dim::d_model},
    TensorSlot{"blk.{}.ffn_norm.weight", "h.{}.ln_2.weight", Dim::one, Dim::d_model},
    TensorSlot{"blk.{}.attn_norm.bias", "h.{}.ln_1.bias", Dim::one, Dim::d_model},
    TensorSlot{"blk.{}.ffn_norm.bias", "h.{}.ln_2.bias", Dim::one, Dim::d_model},
    gpt2_third("blk.{}.attn_q.weight", "blk.{}.attn_qkv.weight", "h.{}.attn.c_attn.weight", 0),
    gpt2_third("blk.{}.attn_q.bias", "blk.{}.attn_qkv.bias", "h.{}.attn.c_attn.bias", 0),
    gpt2_third("blk.{}.attn_k.weight", "blk.{}.attn_qkv.weight", "h.{}.attn.c_attn.weight", 1),
    gpt2_third("blk.{}.attn_k.bias", "blk.{}.attn_qkv.bias", "h.{}.attn.c_attn.bias", 1),
    gpt2_third("blk.{}.attn_v.weight", "blk.{}.attn_qkv.weight", "h.{}.attn.c_attn.weight", 2),
    gpt2_third("blk.{}.attn_v.bias", "blk.{}.attn_qkv.bias", "h.{}.attn.c_attn.bias", 2),
    gpt2_matrix("blk.{}.attn_output.weight", "h.{}.attn.c_proj.weight", Dim::d_model, Dim::query_rows),
    TensorSlot{"blk.{}.attn_output.bias", "h.{}.attn.c_proj.bias", Dim::one, Dim::d_model},
    gpt2_matrix("blk.{}.ffn_up.weight", "h.{}.mlp.c_fc.weight", Dim::d_ff, Dim::d_model),
    TensorSlot{"blk.{}.ffn_up.bias", "h.{}.mlp.c_fc.bias", Dim::one, Dim::d_ff},
    gpt2_matrix("blk.{}.ffn_down.weight", "h.{}.mlp.c_proj.weight", Dim::d_model, Dim::d_ff),
    TensorSlot{"blk.{}.ffn_down.bias", "h.{}.mlp.c_proj.bias", Dim::one, Dim::d_model},
};

inline constexpr std::array bert_tensors{
    TensorSlot{"token_embd.weight", "embeddings.word_embeddings.weight", Dim::vocab, Dim::d_model},
    TensorSlot{"position_embd.weight", "embeddings.position_embeddings.weight", Dim::positions, Dim::d_model},
    TensorSlot{"token_types.weight", "embeddings.token_type_embeddings.weight", Dim::segments, Dim::d_model},
    TensorSlot{"token_embd_norm.weight", "embeddings.LayerNorm.weight", Dim::one, Dim::d_model},
    TensorSlot{"token_embd_norm.bias", "embeddings.LayerNorm.bias", Dim::one, Dim::d_model},
    TensorSlot{"blk.{}.attn_q.weight", "encoder.layer.{}.attention.self.query.weight", Dim::query_rows, Dim::d_model},
    TensorSlot{"blk.{}.attn_q.bias", "encoder.layer.{}.attention.self.query.bias", Dim::one, Dim::query_rows},
    TensorSlot{"blk.{}.attn_k.weight", "encoder.layer.{}.attention.self.key.weight", Dim::kv_rows, Dim::d_model},
    TensorSlot{"blk.{}.attn_k.bias", "encoder.layer.{}.attention.self.key.bias", Dim::one, Dim::kv_rows},
    TensorSlot{"blk.{}.attn_v.weight", "encoder.layer.{}.attention.self.value.weight", Dim::kv_rows, Dim::d_model},
    TensorSlot{"blk.{}.attn_v.bias", "encoder.layer.{}.attention.self.value.bias", Dim::one, Dim::kv_rows},
    TensorSlot{"blk.{}.attn_output.weight", "encoder.layer.{}.attention.output.dense.weight", Dim::d_model,
               Dim::query_rows},
    TensorSlot{"blk.{}.attn_output.bias", "encoder.layer.{}.attention.output.dense.bias", Dim::one, Dim::d_model},
    TensorSlot{"blk.{}.ffn_up.weight", "encoder.layer.{}.intermediate.dense.weight", Dim::d_ff, Dim::d_model},
    TensorSlot{"blk.{}.ffn_up.bias", "encoder.layer.{}.intermediate.dense.bias", Dim::one, Dim::d_ff},
    TensorSlot{"blk.{}.ffn_down.weight", "encoder.layer.{}.output.dense.weight", Dim::d_model, Dim::d_ff},
    TensorSlot{"blk.{}.ffn_down.bias", "encoder.layer.{}.output.dense.bias", Dim::one, Dim::d_model},
    TensorSlot{"blk.{}.attn_output_norm.weight", "encoder.layer.{}.attention.output.LayerNorm.weight", Dim::one,
               Dim::d_model},
    TensorSlot{"blk.{}.attn_output_norm.bias", "encoder.layer.{}.attention.output.LayerNorm.bias", Dim::one,
               Dim::d_model},
    TensorSlot{"blk.{}.layer_output_norm.weight", "encoder.layer.{}.output.LayerNorm.weight", Dim::one, Dim::d_model},
    TensorSlot{"blk.{}.layer_output_norm.bias", "encoder.layer.{}.output.LayerNorm.bias", Dim::one, Dim::d_model},
};

}  // namespace kvmend
