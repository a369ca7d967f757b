#!/usr/bin/env python3
"""Sentence embeddings by the package sentence-transformers, as the values that ours are compared with.

    python scripts/golden/sentence_embeddings.py MODEL_FOLDER     writes tests/data/golden/all-minilm-l6-v2.json

Needs sentence-transformers. MODEL_FOLDER: ~/.cache/kvmend/models/all-minilm-l6-v2 (scripts/fetch all-minilm-l6-v2).
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != HERE]  # our statistics.py is not Python's

import sentence_transformers  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402

TEXTS = [
    "The ferry crosses the lake four times a day.",
    "  Four times a day, a ferry crosses the lake.\n",
    "KV caches of retrieved passages can be reused.",
    "Größe, naïve café — 東京 and 2,048 tokens; don't panic!",
    "",
    "supercalifragilisticexpialidocious antidisestablishmentarianism " + "x" * 120,
    (HERE / "long_text.txt").read_text(),  # longer than the encoder takes
]


def main():
    model = SentenceTransformer(sys.argv[1], device="cpu")
    rows = model.encode(TEXTS, normalize_embeddings=False)
    path = HERE.parent.parent / "tests/data/golden/all-minilm-l6-v2.json"
    lines = [json.dumps({"text": text, "embedding": [float(f"{x:.6g}") for x in row]}) for text, row in zip(TEXTS, rows)]
    by = f"sentence-transformers {sentence_transformers.__version__}, at most {model.max_seq_length} tokens"
    path.write_text(json.dumps({"by": by})[:-1] + ', "sentences": [\n' + ",\n".join(lines) + "\n]}\n")
    print(by, path.stat().st_size)


if __name__ == "__main__":
    main()
