"""Weights by Hugging Face's names, float64: from a safetensors folder, or from a GGUF file of the llama architecture."""
import dataclasses
import json
import pathlib

import numpy as np


@dataclasses.dataclass
class Config:
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    eps: float
    bos: int
    ropes: list  # each layer's (theta, scaling rule)
    windows: list  # each layer's: a row sees so many keys, its own included; None: all
    scale: float  # of q·k
    activation: str = "silu"
    norms_outputs: bool = False  # norms behind attention and behind the MLP
    embed_factor: float = 1.0


def from_folder(folder: pathlib.Path) -> tuple[Config, dict[str, np.ndarray]]:
    c = json.loads((folder / "config.json").read_text())
    layers, rope, dim, kind = c["num_hidden_layers"], c["rope_parameters"], c["head_dim"], c["model_type"]
    weights = {}
    for path in sorted(folder.glob("*.safetensors")):
        weights |= safetensors(path)
    config = Config(layers, c["num_attention_heads"], c["num_key_value_heads"], dim, c["rms_norm_eps"], c["bos_token_id"],
                    ropes=[], windows=[None] * layers, scale=dim**-0.5)
    if kind == "gemma3_text":
        assert not c["attn_logit_softcapping"] and not c["final_logit_softcapping"]
        config.ropes = [(rope[of]["rope_theta"], rope[of]) for of in c["layer_types"]]
        config.windows = [c["sliding_window"] if of == "sliding_attention" else None for of in c["layer_types"]]
        config.scale, config.activation = c["query_pre_attn_scalar"] ** -0.5, c["hidden_activation"]
        config.norms_outputs, config.embed_factor = True, c["hidden_size"] ** 0.5
        for name in weights:
            if name.endswith("norm.weight"):
                weights[name] += 1
    else:
        assert kind in ("llama", "qwen2", "qwen3", "mistral") and not c.get("use_sliding_window")
        config.ropes = [(rope["rope_theta"], rope)] * layers
        if kind == "mistral":
            config.windows = [c["sliding_window"]] * layers
    if c["tie_word_embeddings"]:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    return config, weights


def safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
    """NumPy has no bfloat16, so the file (a length, a JSON header, the bytes) is read here."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    tensors = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        data = raw[8 + size + begin : 8 + size + end]
        if entry["dtype"] == "BF16":
            flat = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            flat = np.frombuffer(data, {"F16": "<f2", "F32": "<f4"}[entry["dtype"]])
        tensors[name] = flat.astype(np.float64).reshape(entry["shape"])
    return tensors


GGUF_NAMES = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}


def from_gguf(path: pathlib.Path) -> tuple[Config, dict[str, np.ndarray]]:
    import gguf

    reader = gguf.GGUFReader(path)

    def field(key, default=None):
        return reader.fields[key].contents() if key in reader.fields else default

    assert field("general.architecture") == "llama"
    heads, width = field("llama.attention.head_count"), field("llama.embedding_length")
    layers, dim = field("llama.block_count"), width // heads
    config = Config(layers, heads, field("llama.attention.head_count_kv", heads), dim,
                    field("llama.attention.layer_norm_rms_epsilon"), field("tokenizer.ggml.bos_token_id"),
                    ropes=[(field("llama.rope.freq_base", 10000.0), None)] * layers, windows=[None] * layers, scale=dim**-0.5)
    weights = {}
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float64)
        parts = tensor.name.split(".")
        if parts[0] == "blk":
            if parts[2] in ("attn_q", "attn_k"):
                values = halves_from_pairs(values, config.head_dim)
            name = f"model.layers.{parts[1]}.{GGUF_NAMES[parts[2]]}.{parts[3]}"
        else:
            name = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}[parts[0]] + ".weight"
        weights[name] = values
    weights.setdefault("lm_head.weight", weights["model.embed_tokens.weight"])
    return config, weights


def halves_from_pairs(matrix: np.ndarray, head_dim: int) -> np.ndarray:
    """llama.cpp's converter stores q and k rows so that dimension 2i turns with 2i + 1; here i turns with i + d/2."""
    rows, columns = matrix.shape
    return matrix.reshape(rows // head_dim, head_dim // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
