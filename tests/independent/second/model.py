"""A Llama or Qwen2 decoder, one layer's halves at a time, because every selector stops somewhere in between.

Shapes: x [rows, width]; q [rows, heads, d]; k, v [rows, kv_heads, d]. Keys leave `project` before RoPE.
"""
import pathlib

import numpy as np

from . import rope, weights


class Model:
    def __init__(self, path: pathlib.Path):
        read = weights.from_gguf if path.suffix == ".gguf" else weights.from_folder
        self.config, self.w = read(path)
        self.path, self.layers = path, self.config.layers
        self.freqs, self.rope_factor = rope.frequencies(self.config.head_dim, self.config.theta, self.config.rope_rule)

    def embed(self, ids) -> np.ndarray:
        return self.w["model.embed_tokens.weight"][np.asarray(ids, int)]

    def project(self, layer: int, x: np.ndarray):
        """q, k, v of rows entering the layer, none of them rotated."""
        x = self.norm(x, f"model.layers.{layer}.input_layernorm")
        shape = (len(x), -1, self.config.head_dim)
        return tuple(self.linear(x, f"model.layers.{layer}.self_attn.{n}_proj").reshape(shape) for n in "qkv")

    def finish(self, layer: int, x: np.ndarray, attended: np.ndarray) -> np.ndarray:
        """The rest of the layer, from what attention gave each head [rows, heads, d]."""
        at = f"model.layers.{layer}."
        x = x + self.linear(attended.reshape(len(x), -1), at + "self_attn.o_proj")
        h = self.norm(x, at + "post_attention_layernorm")
        gate, up = self.linear(h, at + "mlp.gate_proj"), self.linear(h, at + "mlp.up_proj")
        return x + self.linear(gate / (1 + np.exp(-gate)) * up, at + "mlp.down_proj")

    def logits(self, x: np.ndarray) -> np.ndarray:
        return self.norm(x, "model.norm") @ self.w["lm_head.weight"].T

    def rotate(self, x: np.ndarray, positions) -> np.ndarray:
        return rope.rotate(x, positions, self.freqs, self.rope_factor)

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.config.eps) * self.w[name + ".weight"]

    def linear(self, x: np.ndarray, name: str) -> np.ndarray:
        y = x @ self.w[name + ".weight"].T
        return y + self.w[name + ".bias"] if name + ".bias" in self.w else y


def scores(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Rotated q [rows, heads, d] against rotated k [keys, kv_heads, d]: q·k / √d as [heads, rows, keys]."""
    group = q.shape[1] // k.shape[1]
    return np.einsum("rhd,jhd->hrj", q, np.repeat(k, group, axis=1), optimize=True) / np.sqrt(q.shape[-1])


def softmax(s: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Over the last axis, over the visible keys only (`visible` broadcasts to s)."""
    s = np.where(visible, s, -np.inf)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def weigh(a: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Weights [heads, rows, keys] of v [keys, kv_heads, d]: [rows, heads, d]."""
    return np.einsum("hrj,jhd->rhd", a, np.repeat(v, a.shape[0] // v.shape[1], axis=1), optimize=True)
