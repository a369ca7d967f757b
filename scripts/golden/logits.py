#!/usr/bin/env python3
"""Logits of a model by transformers, as the values that ours are compared with.

    logits.py MODEL -o OUT.f32               float32 logits at every position, little-endian [tokens, vocab]
    logits.py MODEL --golden OUT.json        a small committed extract: the ids, the 20 largest logits at 32 positions,
                                             the arg-max and its logit everywhere, how often bfloat16's is the same
    options: --tokens N (512), --text FILE (long_text.txt beside this script), --ids FILE.json ({"ids": […]}),
             --dtype float32|bfloat16|float64

MODEL is a .gguf file or a Hugging Face folder. Needs torch and transformers; GGUF files also need gguf and accelerate.
"""
import argparse
import hashlib
import json
import pathlib

import numpy as np
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = pathlib.Path(__file__).resolve().parent


def source(model):
    """from_pretrained's arguments for a file or a folder."""
    path = pathlib.Path(model)
    if path.is_dir():
        return (str(path),), {}
    return (str(path.parent),), {"gguf_file": path.name}


def read_ids(args):
    if args.ids:
        return json.loads(pathlib.Path(args.ids).read_text())["ids"][: args.tokens]
    where, options = source(args.model)
    tokenizer = AutoTokenizer.from_pretrained(*where, **options)
    ids = tokenizer(pathlib.Path(args.text).read_text(), add_special_tokens=False)["input_ids"]
    if len(ids) < args.tokens:
        raise SystemExit(f"{args.text} has only {len(ids)} tokens")
    return ids[: args.tokens]


def compute(model, ids, dtype):
    where, options = source(model)
    network = AutoModelForCausalLM.from_pretrained(*where, **options, dtype=getattr(torch, dtype)).eval()
    with torch.no_grad():
        return network(torch.tensor([ids])).logits[0].float().numpy()


def golden(args, ids, logits):
    """What is committed. Positions are spread evenly and end with the last."""
    positions = np.linspace(0, len(ids) - 1, 32).round().astype(int).tolist()
    top = []
    for position in positions:
        order = np.argsort(-logits[position], kind="stable")[:20]
        top.append([[int(i), float(f"{logits[position][i]:.9g}")] for i in order])
    largest = np.sort(logits, axis=1)[:, -2:]
    gaps = largest[:, 1] - largest[:, 0]
    low = compute(args.model, ids, "bfloat16")
    agrees = low.argmax(axis=1) == logits.argmax(axis=1)
    path = pathlib.Path(args.model)
    return {
        "model": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None,
        "by": f"transformers {transformers.__version__}, torch {torch.__version__}, float32",
        "ids": ids,
        "positions": positions,
        "top": top,
        "argmax": logits.argmax(axis=1).tolist(),
        "max": [float(f"{x:.9g}") for x in logits.max(axis=1)],
        "bf16": {
            "argmax_agreement": float(agrees.mean()),
            "largest_gap_of_a_disagreement": float(gaps[~agrees].max(initial=0)),
            "max_difference": float(np.abs(low - logits).max()),
        },
    }


def write_json(path, value):
    """One line a key and a position: small, and a change shows where it is."""
    lines = []
    for key, item in value.items():
        if key == "top":
            rows = ",\n    ".join(json.dumps(row) for row in item)
            lines.append(f'  "top": [\n    {rows}\n  ]')
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(item)}")
    pathlib.Path(path).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("-o", "--output")
    parser.add_argument("--golden")
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--text", default=str(HERE / "long_text.txt"))
    parser.add_argument("--ids")
    parser.add_argument("--dtype", default="float32")
    args = parser.parse_args()
    ids = read_ids(args)
    logits = compute(args.model, ids, args.dtype)
    if args.output:
        pathlib.Path(args.output).write_bytes(logits.astype("<f4").tobytes())
    if args.golden:
        write_json(args.golden, golden(args, ids, logits))


if __name__ == "__main__":
    main()
