"""GGUF files of the tiny models that tiny_models.py makes with transformers."""
import json

import gguf
import numpy as np
import torch

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def interleave(weight, heads):
    """Rows of a Q or K matrix (or bias) from halves to pairs, as GGUF stores the llama architecture."""
    shape = weight.shape
    return weight.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


GGUF_NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
}
GEMMA3_NAMES = {
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
GPT2_NAMES = {
    "transformer.wte.weight": "token_embd.weight",
    "transformer.wpe.weight": "position_embd.weight",
    "transformer.ln_f.weight": "output_norm.weight",
    "transformer.ln_f.bias": "output_norm.bias",
    "ln_1": "attn_norm",
    "ln_2": "ffn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}
BERT_NAMES = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
GGUF_ARCHITECTURES = {"mistral": "llama", "gemma3_text": "gemma3"}


def gguf_architecture(config):
    return GGUF_ARCHITECTURES.get(config.model_type, config.model_type)


def gguf_name(name, architecture):
    names = {"gemma3": {**GGUF_NAMES, **GEMMA3_NAMES}, "gpt2": GPT2_NAMES, "bert": BERT_NAMES}.get(architecture, GGUF_NAMES)
    if name in names:
        return names[name]
    _, _, layer, rest = name.split(".", 3)  # model.layers.0.…, transformer.h.0.…, encoder.layer.0.…
    stem, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{names[stem]}.{kind}"


def add_word_piece(writer, tokenizer):
    """Words begin with a mark instead of going on with one."""
    vocab = tokenizer.get_vocab()
    tokens = sorted(vocab, key=vocab.get)
    special = {token for token in tokens if token[0] == "[" and token[-1] == "]" and len(token) > 2}
    writer.add_tokenizer_model("bert")
    writer.add_token_list([t if t in special else t[2:] if t.startswith("##") else "\u2581" + t for t in tokens])
    writer.add_token_types([gguf.TokenType.CONTROL if t in special else gguf.TokenType.NORMAL for t in tokens])
    writer.add_unk_token_id(vocab["[UNK]"])
    writer.add_sep_token_id(vocab["[SEP]"])
    writer.add_bos_token_id(vocab["[CLS]"])


def add_metadata(writer, config, tokenizer, pre):
    writer.add_name("tiny")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    if config.model_type in ("gpt2", "bert"):
        writer.add_feed_forward_length(config.n_inner if config.model_type == "gpt2" else config.intermediate_size)
        writer.add_head_count(config.num_attention_heads)
        writer.add_layer_norm_eps(config.layer_norm_epsilon if config.model_type == "gpt2" else config.layer_norm_eps)
        if config.model_type == "bert":
            writer.add_causal_attention(False)
            writer.add_pooling_type(gguf.PoolingType.MEAN)
            return add_word_piece(writer, tokenizer)
        return add_byte_level(writer, config, tokenizer, pre)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    rope = config.rope_parameters
    if writer.arch == "gemma3":
        writer.add_uint32("gemma3.attention.sliding_window_pattern", config.layer_types.index("full_attention") + 1)
        writer.add_float32("gemma3.attention.scale", config.query_pre_attn_scalar**-0.5)
        rope = rope["full_attention"]
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    writer.add_rope_freq_base(rope["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if getattr(config, "sliding_window", None):
        writer.add_sliding_window(config.sliding_window)
    add_byte_level(writer, config, tokenizer, pre)


def add_byte_level(writer, config, tokenizer, pre):
    writer.add_vocab_size(config.vocab_size)
    vocab = tokenizer.get_vocab()
    tokens = sorted(vocab, key=vocab.get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token in tokens])
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_bos_token_id(vocab["<|endoftext|>"])
    writer.add_eos_token_id(vocab["<|im_end|>"])
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHATML)


def write_gguf(path, model, tokenizer, pre, type_of, extra=(), shard_tensors=0):
    """Writes the model; `type_of` gives a tensor's type from its GGUF name. Returns the weights as a reader sees them."""
    config = model.config
    writer = gguf.GGUFWriter(str(path), gguf_architecture(config), split_max_tensors=shard_tensors)
    add_metadata(writer, config, tokenizer, pre)
    seen = {}
    for name, parameter in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings or name.startswith("pooler."):
            continue
        weight = parameter.float().numpy()
        if config.model_type == "gpt2" and ".c_" in name and weight.ndim == 2:  # Conv1D has it the other way round
            weight = np.ascontiguousarray(weight.T)
        if writer.arch == "gemma3" and name.endswith("norm.weight"):
            weight = weight + 1
        stored_name = gguf_name(name, writer.arch)
        kind = type_of(stored_name) if weight.ndim == 2 else gguf.GGMLQuantizationType.F32
        stored = gguf.quantize(weight, kind)
        seen[name] = torch.from_numpy(gguf.dequantize(stored, kind).reshape(weight.shape).copy())
        if writer.arch == "llama" and ".q_proj." in name:
            stored = interleave(stored, config.num_attention_heads)
        if writer.arch == "llama" and ".k_proj." in name:
            stored = interleave(stored, config.num_key_value_heads)
        writer.add_tensor(stored_name, np.ascontiguousarray(stored), raw_dtype=kind)
    for name, values in extra:
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return seen
