#!/usr/bin/env python3
"""Makes tests/data/golden/rope.json: transformers' RoPE for every scaling we know.

For each configuration: config.json's keys (so that reading them is tested too), the inverse frequencies, the attention
factor, and the cosines and sines of some positions, all float32.
"""
import json
import pathlib

import torch
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

OUT = pathlib.Path(__file__).resolve().parent.parent.parent / "tests/data/golden/rope.json"
POSITIONS = [0, 1, 2, 17, 255, 1000, 4095, 8191]
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 8192}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
CASES = {
    "default": dict(head_dim=64, theta=10000.0, rope=None),
    "smollm2": dict(head_dim=64, theta=100000.0, rope=None),
    "qwen2.5": dict(head_dim=64, theta=1000000.0, rope=None),
    "odd head": dict(head_dim=20, theta=500000.0, rope=None),
    "linear": dict(head_dim=128, theta=10000.0, rope={"rope_type": "linear", "factor": 2.5}),
    "llama3.1": dict(head_dim=128, theta=500000.0, rope=LLAMA3),
    "llama3.2": dict(head_dim=64, theta=500000.0, rope={**LLAMA3, "factor": 32.0}),
    "yarn, Qwen2.5's": dict(head_dim=128, theta=1000000.0, rope=YARN),
    "yarn, own betas and factor": dict(head_dim=64, theta=10000.0, rope={**YARN, "beta_fast": 16.0, "beta_slow": 2.0,
                                                                         "attention_factor": 1.25}),
    "yarn, mscale": dict(head_dim=64, theta=10000.0, rope={**YARN, "factor": 40.0, "mscale": 0.707, "mscale_all_dim": 1.2,
                                                           "original_max_position_embeddings": 4096}),
    "yarn, not truncated": dict(head_dim=64, theta=150000.0, rope={**YARN, "factor": 32.0, "truncate": False,
                                                                   "original_max_position_embeddings": 4096}),
}


def case(name, head_dim, theta, rope):
    parameters = {"rope_theta": theta, **(rope or {"rope_type": "default"})}
    config = LlamaConfig(hidden_size=head_dim * 2, num_attention_heads=2, num_key_value_heads=2, head_dim=head_dim,
                         num_hidden_layers=1, intermediate_size=8, vocab_size=8, max_position_embeddings=131072,
                         rope_parameters=dict(parameters))
    embedding = LlamaRotaryEmbedding(config)
    cos, sin = embedding(torch.zeros(1), torch.tensor([POSITIONS]))
    half = head_dim // 2
    return {
        "name": name,
        "config": {"head_dim": head_dim, "max_position_embeddings": 131072, "rope_parameters": parameters},
        "inverse_frequencies": embedding.inv_freq.tolist(),
        "attention_factor": embedding.attention_scaling,
        "positions": POSITIONS,
        "cos": [[float(f"{x:.9g}") for x in row[:half].tolist()] for row in cos[0]],
        "sin": [[float(f"{x:.9g}") for x in row[:half].tolist()] for row in sin[0]],
    }


def main():
    lines = []
    for name, arguments in CASES.items():
        item = case(name, **arguments)
        item["inverse_frequencies"] = [float(f"{x:.9g}") for x in item["inverse_frequencies"]]
        lines.append(json.dumps(item))
    OUT.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
