#!/usr/bin/env python3
"""Makes tests/data/golden/dequant.{json,bin}: what the gguf package makes of blocks of every stored type.

For each type: twelve blocks whose scales are special (zeros of both signs, denormals, the largest, negative ones) with
their values in full, and the SHA-256 of the values of a thousand blocks out of a generator that the test repeats.
For F16, whose every value can be tried: the SHA-256 of all patterns that are not NaN, in order.
"""
import hashlib
import json
import pathlib

import gguf
import numpy as np

OUT = pathlib.Path(__file__).resolve().parent.parent.parent / "tests/data/golden"
# Offsets of the half-precision fields in a block.
HALVES = {
    "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}
SPECIAL = [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x83FF, 0x0400, 0x7BFF, 0xFBFF, 0x3C00, 0xB4CD, 0x2E66]
SEEDED = 1000


def splitmix64(seed, count):
    """Public-domain generator of 64-bit words (Steele, Lea, Flood 2014), vectorised."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, count + 1, dtype=np.uint64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def random_blocks(kind, seed, count):
    size = gguf.GGML_QUANT_SIZES[kind][1]
    words = splitmix64(seed, (size * count + 7) // 8)
    blocks = words.astype("<u8").view(np.uint8)[: size * count].reshape(count, size).copy()
    for offset in HALVES[kind.name]:  # no infinities or NaN: an exponent of 31 becomes 15
        high = blocks[:, offset + 1]
        high[(high & 0x7C) == 0x7C] &= 0xBF
    return blocks


def main():
    entries, data = [], bytearray()
    for seed, (name, halves) in enumerate(HALVES.items()):
        kind = gguf.GGMLQuantizationType[name]
        blocks = random_blocks(kind, 1000 + seed, len(SPECIAL))
        for i in range(len(SPECIAL)):
            for field, offset in enumerate(halves):
                blocks[i, offset : offset + 2] = np.array([SPECIAL[(i + 5 * field) % 12]], "<u2").view(np.uint8)
        values = gguf.dequantize(blocks, kind).astype("<f4")
        seeded = gguf.dequantize(random_blocks(kind, seed, SEEDED), kind).astype("<f4")
        assert np.isfinite(values).all() and np.isfinite(seeded).all()
        entries.append({"type": name, "halves": halves, "blocks": len(SPECIAL), "blocks_at": len(data),
                        "values_at": len(data) + blocks.size, "seed": seed, "seeded_blocks": SEEDED,
                        "seeded_sha256": hashlib.sha256(seeded.tobytes()).hexdigest()})
        data += blocks.tobytes() + values.tobytes()
    patterns = np.arange(65536, dtype=np.uint16)
    halves = gguf.dequantize(patterns.view(np.uint8), gguf.GGMLQuantizationType.F16)
    halves = halves[~np.isnan(halves)].astype("<f4")
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "dequant.bin").write_bytes(bytes(data))
    lines = ",\n".join("  " + json.dumps(entry) for entry in entries)
    sha = hashlib.sha256(halves.tobytes()).hexdigest()
    (OUT / "dequant.json").write_text(f'{{"f16_sha256": "{sha}",\n "types": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
