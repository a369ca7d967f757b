"""python -m second [MODEL…]: writes golden/MODEL.PROMPT.json.gz (all models unless some are named)."""
import functools
import json
import os
import pathlib
import sys

import numpy as np

from . import caches, cases, golden
from .model import Model, weigh

HERE = pathlib.Path(__file__).resolve().parents[1]
FETCHED = pathlib.Path(os.environ.get("KVMEND_MODELS", pathlib.Path.home() / ".cache/kvmend/models"))
TINY = ["tiny-llama", "tiny-llama3", "tiny-llama-yarn", "tiny-qwen2", "tiny-qwen3", "tiny-mistral", "tiny-gemma3"]
EVERY_OPTION = ["tiny-llama", "tiny-qwen2"]
ANOTHER_AUXILIARY = ["tiny-llama", "tiny-llama3", "tiny-llama-yarn"]  # whose tokens are others than tiny-qwen2's
PROMPTS = {"tiny": ["harbour", "orchard"], "smollm2": ["expedition", "letters"]}


@functools.cache
def opened(name: str) -> Model:
    return Model(HERE.parent / "data/models" / name if name.startswith("tiny") else FETCHED / f"{name}.gguf")


def check_logits(model: Model) -> None:
    """Transformers' own are beside the tiny models."""
    told, seen = json.loads((model.path / "ids.json").read_text()), []
    caches.prefill(model, told["ids"], lambda layer, x, q, k, v, a: seen.append((x, a, v)))
    x, a, v = seen[-1]
    logits = model.logits(model.finish(model.layers - 1, x, weigh(a, v)))
    theirs = np.fromfile(model.path / "logits.f32", "<f4").reshape(logits.shape)
    assert np.abs(logits - theirs).max() < 1e-5 * np.abs(theirs).max(), f"{model.path.name}: not transformers' logits"


def main(names) -> None:
    for name in names or [*TINY, "smollm2-135m"]:
        tiny = name in TINY
        if tiny:
            check_logits(opened(name))
        windowed = any(opened(name).config.windows)
        wanted, ratios = cases.main_cases(windowed), [0.15, 0.4] if tiny else [0.2]
        if name in EVERY_OPTION:
            wanted += cases.option_cases()
        if not tiny:
            wanted += cases.combinations_in_short()
        wanted += cases.auxiliary_cases(["tiny-qwen2", name] if name in ANOTHER_AUXILIARY else [name], opened)
        decoding = cases.decode_cases() if name in EVERY_OPTION else []
        for prompt in PROMPTS[name.split("-")[0]]:
            path = HERE / "prompts" / f"{prompt}.json"
            golden.write(opened(name), name, path, wanted, decoding, ratios, HERE / "golden" / f"{name}.{prompt}.json.gz")


main(sys.argv[1:])
