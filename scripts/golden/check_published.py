#!/usr/bin/env python3
"""Compares kvmend's samples with published ones, which are not part of the project.

    scripts/golden/check_published.py ruler_niah_multikey_3 FILE     RULER's JSON lines of {input, outputs, length}
    scripts/golden/check_published.py longbench DATA PROMPTS         LongBench's JSON lines and dataset2prompt.json

Uses build/release/bin/kvmend with SmolLM2's tokenizer and chat format raw. Exits with 1 where something differs.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
NEEDLE = rf"One of the special magic uuids for ({UUID}) is: ({UUID})\."
MULTIKEY_3 = re.compile(
    r"A special magic uuid is hidden within the following text\. Make sure to memorize it\. I will quiz you about the uuid "
    rf"afterwards\.\n((?:{NEEDLE}\n)+)What is the special magic uuid for ({UUID}) mentioned in the provided text\? The special "
    rf"magic uuid for ({UUID}) mentioned in the provided text is")


def our_samples(task, count, *settings):
    command = [ROOT / "build/release/bin/kvmend", "sample", task, "--model", "smollm2-135m", "--chat", "raw", "-n", str(count)]
    for setting in settings:
        command += ["--set", setting]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        sample = json.loads(line)
        sample["prompt"] = "".join(u["text"] for u in sample["units"]) + sample["query"] + sample["answer_prefix"]
        yield sample


def describe(prompts, answers):
    """Needles a prompt, and where the asked one stands, 0 to 1. Fails where a prompt is not of the form."""
    counts, depths = [], []
    for prompt, answer in zip(prompts, answers):
        match = MULTIKEY_3.fullmatch(prompt)
        assert match, f"not of the form: {prompt[:200]} … {prompt[-300:]}"
        assert match[4] == match[5], "question and answer prefix name different keys"
        needles = re.findall(NEEDLE, match[1])
        keys = [key for key, _ in needles]
        assert len(set(keys)) == len(keys), "a key twice"
        at = keys.index(match[4])
        assert [needles[at][1]] == answer, "the value is not the answer"
        counts.append(len(needles))
        depths.append(at / (len(needles) - 1))
    return counts, depths


def mean(values):
    return sum(values) / len(values)


def check_multikey_3(path):
    published = [json.loads(line) for line in open(path, encoding="utf-8")]
    theirs = describe([row["input"] for row in published], [row["outputs"] for row in published])
    ours_list = list(our_samples("ruler/niah_multikey_3", 200, "length=4096"))
    ours = describe([sample["prompt"] for sample in ours_list], [sample["references"] for sample in ours_list])
    for name, (counts, depths) in (("published", theirs), ("ours", ours)):
        print(f"{name:10} n {len(counts)}, needles {min(counts)} to {max(counts)}, depth mean {mean(depths):.2f}, "
              f"standard deviation {(mean([d * d for d in depths]) - mean(depths) ** 2) ** 0.5:.2f} (uniform: 0.50, 0.29)")


def check_longbench(data, prompts):
    rows = [json.loads(line) for line in open(data, encoding="utf-8")]
    subset = rows[0]["dataset"]
    template = json.load(open(prompts, encoding="utf-8"))[subset]
    count = 0
    folder, name = pathlib.Path(data).resolve().parent, pathlib.Path(data).name
    for row, sample in zip(rows, our_samples(f"longbench/{subset}", len(rows), f"folder={folder}", f"file={name}",
                                             f"prompts={pathlib.Path(prompts).resolve()}", "max_prompt=1000000", "samples=0")):
        assert sample["prompt"] == template.format(**row), f"{row['_id']}: the prompt differs"
        assert sample["references"] == row["answers"]
        count += 1
    assert count == len(rows)
    print(f"{subset}: {count} prompts equal their template's")


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("ruler_niah_multikey_3", "longbench"):
        sys.exit(__doc__)
    (check_multikey_3 if sys.argv[1] == "ruler_niah_multikey_3" else check_longbench)(*sys.argv[2:])
