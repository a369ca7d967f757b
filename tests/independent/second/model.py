"""A Llama, Mistral, Qwen or Gemma 3 decoder, one layer's halves at a time, because every selector stops somewhere in between.

Shapes: x [rows, width]; q [rows, heads, d]; k, v [rows, kv_heads, d]. Queries and keys leave `project` before RoPE, behind
their norms where the architecture has such.
"""
import pathlib

import numpy as np

from . import rope, weights


ACTIVATIONS = {
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu_pytorch_tanh": lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
}


class Model:
    def __init__(self, path: pathlib.Path):
        read = weights.from_gguf if path.suffix == ".gguf" else weights.from_folder
        self.config, self.w = read(path)
        self.path, self.layers = path, self.config.layers
        self.ropes = [rope.frequencies(self.config.head_dim, *layer) for layer in self.config.ropes]

    def embed(self, ids) -> np.ndarray:
        return self.w["model.embed_tokens.weight"][np.asarray(ids, int)] * self.config.embed_factor

    def project(self, layer: int, x: np.ndarray):
        """q, k, v of rows entering the layer, none of them rotated."""
        x = self.norm(x, f"model.layers.{layer}.input_layernorm")
        shape, at = (len(x), -1, self.config.head_dim), f"model.layers.{layer}.self_attn."
        q, k, v = (self.linear(x, f"{at}{n}_proj").reshape(shape) for n in "qkv")
        if at + "q_norm.weight" in self.w:  # Qwen 3's and Gemma 3's, over each head
            q, k = self.norm(q, at + "q_norm"), self.norm(k, at + "k_norm")
        return q, k, v

    def finish(self, layer: int, x: np.ndarray, attended: np.ndarray) -> np.ndarray:
        """The rest of the layer, from what attention gave each head [rows, heads, d]."""
        at = f"model.layers.{layer}."
        y = self.linear(attended.reshape(len(x), -1), at + "self_attn.o_proj")
        if self.config.norms_outputs:  # Gemma norms what a half gives, too
            x = x + self.norm(y, at + "post_attention_layernorm")
            h = self.norm(x, at + "pre_feedforward_layernorm")
        else:
            x = x + y
            h = self.norm(x, at + "post_attention_layernorm")
        gate, up = self.linear(h, at + "mlp.gate_proj"), self.linear(h, at + "mlp.up_proj")
        y = self.linear(ACTIVATIONS[self.config.activation](gate) * up, at + "mlp.down_proj")
        return x + (self.norm(y, at + "post_feedforward_layernorm") if self.config.norms_outputs else y)

    def logits(self, x: np.ndarray) -> np.ndarray:
        return self.norm(x, "model.norm") @ self.w["lm_head.weight"].T

    def rotate(self, layer: int, x: np.ndarray, positions) -> np.ndarray:
        return rope.rotate(x, positions, *self.ropes[layer])

    def scores(self, layer: int, q: np.ndarray, q_at, k: np.ndarray, k_at) -> np.ndarray:
        """q [rows, heads, d] against k [keys, kv_heads, d], rotated to positions q_at and k_at: [heads, rows, keys]."""
        q, k = self.rotate(layer, q, q_at), self.rotate(layer, k, k_at)
        return np.einsum("rhd,jhd->hrj", q, np.repeat(k, q.shape[1] // k.shape[1], axis=1), optimize=True) * self.config.scale

    def reach(self, layer: int, q_at, k_at, limit=None) -> np.ndarray:
        """The keys that rows see in a layer [rows, keys]: those up to themselves, or to `limit`, and within its window."""
        q_at, k_at = np.asarray(q_at)[:, None], np.asarray(k_at)[None, :]
        seen = k_at <= (q_at if limit is None else np.asarray(limit)[:, None])
        window = self.config.windows[layer]
        return seen & (q_at - k_at < window) if window else seen

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.config.eps) * self.w[name + ".weight"]

    def linear(self, x: np.ndarray, name: str) -> np.ndarray:
        y = x @ self.w[name + ".weight"].T
        return y + self.w[name + ".bias"] if name + ".bias" in self.w else y


def softmax(s: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Over the last axis, over the visible keys only (`visible` broadcasts to s); zeros for a row that sees none."""
    s = np.where(visible, s, -np.inf)
    top = s.max(axis=-1, keepdims=True)
    e = np.exp(s - np.where(np.isfinite(top), top, 0))
    total = e.sum(axis=-1, keepdims=True)
    return e / np.where(total > 0, total, 1)


def weigh(a: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Weights [heads, rows, keys] of v [keys, kv_heads, d]: [rows, heads, d]."""
    return np.einsum("hrj,jhd->rhd", a, np.repeat(v, a.shape[0] // v.shape[1], axis=1), optimize=True)
