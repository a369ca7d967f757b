"""python -m second [MODEL…]: writes golden/MODEL.PROMPT.json.gz (all models unless some are named)."""
import functools
import os
import pathlib
import sys

from . import cases, golden
from .model import Model

HERE = pathlib.Path(__file__).resolve().parents[1]
FETCHED = pathlib.Path(os.environ.get("KVMEND_MODELS", pathlib.Path.home() / ".cache/kvmend/models"))
TINY = ["tiny-llama", "tiny-llama3", "tiny-llama-yarn", "tiny-qwen2"]
EVERY_OPTION = ["tiny-llama", "tiny-qwen2"]
PROMPTS = {"tiny": ["harbour", "orchard"], "smollm2": ["expedition", "letters"]}


@functools.cache
def opened(name: str) -> Model:
    return Model(HERE.parent / "data/models" / name if name.startswith("tiny") else FETCHED / f"{name}.gguf")


def main(names) -> None:
    for name in names or [*TINY, "smollm2-135m"]:
        tiny = name in TINY
        wanted, ratios = cases.main_cases(), [0.15, 0.4] if tiny else [0.2]
        if name in EVERY_OPTION:
            wanted += cases.option_cases()
        wanted += cases.auxiliary_cases(["tiny-qwen2", name] if tiny and name != "tiny-qwen2" else [name], opened)
        decoding = cases.decode_cases() if name in EVERY_OPTION else []
        for prompt in PROMPTS[name.split("-")[0]]:
            path = HERE / "prompts" / f"{prompt}.json"
            golden.write(opened(name), name, path, wanted, decoding, ratios, HERE / "golden" / f"{name}.{prompt}.json.gz")
            if name in EVERY_OPTION:
                golden.write(opened(name), name, path, cases.partly_specified_cases(), [], [0.2],
                             HERE / "golden" / f"{name}.{prompt}.partly.json.gz")


main(sys.argv[1:])
