#!/usr/bin/env python3
"""Makes tests/data/tokenizers: strings, tiny tokenizers of every kind, and golden ids by the `tokenizers` library.

strings.gz holds the strings of tokenizer_strings.py: each a little-endian 32-bit length and its bytes. tiny/NAME.json
are tokenizers trained here. NAME.golden.json.gz has, for one tokenizer: `crc`, one CRC-32 for the ids (as
little-endian 32-bit integers) of every 4 strings; `plain`, the same with special tokens read as text, for the strings
`plain_range`; `sweep`, one CRC-32 for every 8 sweep strings (not for every tokenizer); `examples`, some strings'
numbers with all their ids.

    python scripts/golden/tokenizer_golden.py [--models DIR] [--vocab DIR] [--only NAME]       needs tokenizers, gguf

--models has smollm2-135m.gguf and qwen2.5-coder-0.5b.gguf (scripts/fetch), --vocab has
ggml-vocab-{llama-bpe,llama-spm,gpt-2,qwen2}.gguf (scripts/golden/fetch_vocabularies). Golden files whose vocabulary
is not there are left as they are.
"""
import argparse
import gzip
import json
import pathlib
import struct
import sys
import zlib

from tokenizers import Tokenizer

import tokenizer_pipelines
import tokenizer_strings
import tokenizer_training

OUT = pathlib.Path(__file__).resolve().parent.parent.parent / "tests" / "data" / "tokenizers"
EXAMPLE_STEP = 40
GROUP = 4  # strings to one hash
SWEPT = {"tiny-smollm", "tiny-qwen2", "tiny-llama-bpe", "tiny-gpt-2", "tiny-llama", "smollm2-135m", "qwen2.5-coder-0.5b",
         "llama-bpe", "llama-spm", "tiny-bert"}


def write_gz(path, data):
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(data)
    print(f"{path.name}: {path.stat().st_size:,} bytes")


def crcs(tokenizer, texts, group):
    """One CRC-32 over the ids of each `group` texts."""
    found, running = [], 0
    for i, text in enumerate(texts):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        running = zlib.crc32(struct.pack(f"<{len(ids)}i", *ids), running)
        if (i + 1) % group == 0:
            found.append(running)
            running = 0
    return found


def golden_of(tokenizer, groups, swept):
    texts = [tokenizer_strings.as_pipeline_reads(data) for _, group in groups for data in group]
    begin = sum(len(group) for name, group in groups[: [name for name, _ in groups].index("special")])
    end = begin + len(dict(groups)["special"])
    examples = [[i, tokenizer.encode(texts[i], add_special_tokens=False).ids] for i in range(0, len(texts), EXAMPLE_STEP)]
    golden = {"crc": crcs(tokenizer, texts, GROUP), "examples": examples, "plain_range": [begin, end]}
    golden["sweep"] = crcs(tokenizer, tokenizer_strings.sweep_strings(), tokenizer_strings.SWEEP_HASHED) if swept else []
    tokenizer.encode_special_tokens = True
    golden["plain"] = crcs(tokenizer, texts[begin:end], GROUP)
    return golden


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=pathlib.Path)
    parser.add_argument("--vocab", type=pathlib.Path)
    parser.add_argument("--only", help="one golden file, e.g. tiny-bert; the strings are as they are")
    options = parser.parse_args()
    (OUT / "tiny").mkdir(parents=True, exist_ok=True)

    groups = tokenizer_strings.golden_strings()
    strings = [data for _, group in groups for data in group]
    if not options.only:
        write_gz(OUT / "strings.gz", b"".join(struct.pack("<I", len(s)) + s for s in strings))

    makers = {}
    for name, content in tokenizer_training.tiny_tokenizers():
        path = OUT / "tiny" / f"{name}.json"
        if options.only in (None, f"tiny-{name}"):
            path.write_text(content)
        makers[f"tiny-{name}"] = lambda path=path: Tokenizer.from_file(str(path))
    for name in ("smollm2-135m", "qwen2.5-coder-0.5b"):
        if options.models:
            makers[name] = lambda path=options.models / f"{name}.gguf": tokenizer_pipelines.from_gguf(path)
    for name in ("llama-bpe", "llama-spm", "gpt-2", "qwen2"):
        if options.vocab:
            makers[name] = lambda path=options.vocab / f"ggml-vocab-{name}.gguf": tokenizer_pipelines.from_gguf(path)
    for name, make in makers.items():
        if options.only not in (None, name):
            continue
        golden = golden_of(make(), groups, name in SWEPT)
        write_gz(OUT / f"{name}.golden.json.gz", json.dumps(golden, separators=(",", ":")).encode())


if __name__ == "__main__":
    main()
