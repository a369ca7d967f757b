#!/usr/bin/env python3
"""Makes tests/data/golden/chat.json: prompts as a model's own chat template renders them.

The templates come out of fetched GGUF files (scripts/fetch NAME) and are rendered by Jinja as transformers does
(trim_blocks, lstrip_blocks); only the rendered text is kept, and a hash of the template.

  scripts/golden/chat.py            needs gguf and jinja2
"""
import hashlib
import json
import os
import pathlib

import gguf
import jinja2

OUT = pathlib.Path(__file__).resolve().parent.parent.parent / "tests/data/golden/chat.json"
MODELS = pathlib.Path(os.environ.get("KVMEND_MODELS", pathlib.Path.home() / ".cache/kvmend/models"))
NAMES = {"smollm2-135m": "chatml", "qwen2.5-coder-0.5b": "chatml"}
USER = "Which river\nis the longest?"
SYSTEM = "Answer in one word."


def template_of(path: pathlib.Path) -> str:
    field = gguf.GGUFReader(path).fields["tokenizer.chat_template"]
    return bytes(field.parts[field.data[0]]).decode()


def rendered(template: str, system: str | None) -> str:
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    messages = ([{"role": "system", "content": system}] if system else []) + [{"role": "user", "content": USER}]
    return environment.from_string(template).render(messages=messages, add_generation_prompt=True, tools=None)


def main() -> None:
    cases = []
    for name, chat in NAMES.items():
        template = template_of(MODELS / f"{name}.gguf")
        cases.append({"model": name, "format": chat, "template_sha256": hashlib.sha256(template.encode()).hexdigest(),
                      "user": USER, "system": SYSTEM, "without_system": rendered(template, None),
                      "with_system": rendered(template, SYSTEM)})
    OUT.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
