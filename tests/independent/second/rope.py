"""Rotary position embedding: the angle of each pair of dimensions, with the scaling rules that checkpoints name.

Transformers' conventions: dimension i turns with dimension i + d/2. Sources: RoFormer (arXiv 2104.09864), YaRN
(arXiv 2309.00071 §3.2 and §3.4, whose attention factor multiplies both q and k), Llama 3.1's model card for `llama3`.
"""
import math

import numpy as np


def frequencies(dim: int, theta: float, rule: dict | None) -> tuple[np.ndarray, float]:
    """(radians a position of each pair [dim / 2], factor that rotated vectors are multiplied by)."""
    base = theta ** (-np.arange(0, dim, 2, dtype=np.float64) / dim)
    kind = (rule or {}).get("rope_type", "default")
    if kind == "default":
        return base, 1.0
    factor = float(rule["factor"])
    if kind == "linear":
        return base / factor, 1.0
    original = float(rule["original_max_position_embeddings"])
    if kind == "llama3":
        low, high = rule["low_freq_factor"], rule["high_freq_factor"]
        turns = original * base / (2 * math.pi)  # over the original context
        smooth = np.clip((turns - low) / (high - low), 0.0, 1.0)
        return base / factor * (1 - smooth) + base * smooth, 1.0
    if kind == "yarn":
        fast, slow = rule.get("beta_fast", 32.0), rule.get("beta_slow", 1.0)

        def pair_with(turns: float) -> float:
            return dim * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))

        first, last = max(math.floor(pair_with(fast)), 0), min(math.ceil(pair_with(slow)), dim - 1)
        ramp = np.clip((np.arange(dim // 2) - first) / max(last - first, 0.001), 0.0, 1.0)
        return base * (1 - ramp) + base / factor * ramp, rule.get("attention_factor") or 0.1 * math.log(factor) + 1.0
    raise ValueError(f"RoPE rule {kind!r} has no second implementation")


def rotate(x: np.ndarray, positions: np.ndarray, freqs: np.ndarray, factor: float) -> np.ndarray:
    """x [rows, heads, dim] at `positions` [rows]."""
    angle = np.asarray(positions, np.float64)[:, None, None] * freqs
    cos, sin = np.cos(angle) * factor, np.sin(angle) * factor
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)
