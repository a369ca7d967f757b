"""Writes the goldens: for each model and prompt what every case answers, as the test in C++ reads it.

Scores are stored as whole parts of 50,000 of the largest |score|. `close` lists the tokens whose score lies within 1e-4 of
that from the threshold of a choice: only they may be chosen differently. `logits` are those of the first token at `tokens`.
"""
import dataclasses
import gzip
import json
import pathlib

import numpy as np

from . import budget, passes
from .request import from_text

PARTS = 50_000
CLOSE = 1e-4
DECODED = 10  # tokens


def close_to_threshold(scores, exact, taken, rows=None):
    """Tokens of either side that rounding could exchange: not those with a score of 0, which masks and exact rows give."""
    taken = set(np.asarray(taken).tolist())
    rows = np.arange(len(scores)) if rows is None else rows
    exact = np.zeros(len(scores), bool) if exact is None else exact
    inside = [i for i in budget.ranked(scores, exact) if rows[i] in taken]
    if not inside or len(inside) == len(scores):
        return set()
    edge = inside[-1]
    near = CLOSE * np.abs(scores).max()
    return {int(rows[i]) for i in range(len(scores))
            if scores[i] != 0 and exact[i] == exact[edge] and abs(scores[i] - scores[edge]) <= near}


def ranges(indices) -> list[int]:
    """Sorted indices as begin, end, begin, end …"""
    out = []
    for i in indices:
        if out and out[-1] == i:
            out[-1] = i + 1
        else:
            out += [int(i), int(i) + 1]
    return out


def entry(model, request, case, ratio):
    name, parameters, select = case
    answer = select(model, request, ratio)
    out = {"strategy": name, "params": parameters, "ratio": ratio, "selected": ranges(answer.selected)}
    close = set()
    if answer.scores is not None:
        largest = float(np.abs(answer.scores).max())
        out["scale"] = float(f"{largest:.9g}")
        out["scores"] = np.rint(answer.scores / (largest or 1.0) * PARTS).astype(int).tolist()
        if answer.slack:
            out["slack"] = float(f"{answer.slack:.9g}")
        if answer.thresholded:
            close |= close_to_threshold(answer.scores, answer.exact, answer.selected)
    for rows, scores, exact, taken in answer.cuts or []:
        close |= close_to_threshold(scores, exact, taken, rows)
    if close:
        out["close"] = sorted(close)
    if answer.per_layer is not None:
        out["per_layer"] = [ranges(rows) for rows in answer.per_layer]
    if answer.kept is not None:
        out["kept"] = ranges(answer.kept)
    if answer.selected_query is not None:
        out["selected_query"] = answer.selected_query
    if answer.order is not None:
        out["order"] = answer.order
    logits = passes.first_token(model, request, answer)
    top = np.argsort(-logits, kind="stable")[:4].tolist()
    tokens = top + [int(t) for t in np.linspace(0, len(logits) - 1, 8)]
    return out | {"tokens": tokens, "logits": [round(float(logits[t]), 5) for t in tokens]}


def greedy(model, request, case, ratio, steps):
    """Tokens decoded, and the smallest gap between the two largest logits on the way.

    A decoded token is one more row of the query: it sees what the query sees, and tempers treat it alike.
    """
    answer = case[2](model, request, ratio)
    if answer.decode:
        return answer.decode(steps)
    tokens, gaps, own = [], [], answer.logits is not None
    for _ in range(steps):
        logits = passes.first_token(model, request, answer)
        best = np.sort(logits)[-2:]
        tokens.append(int(logits.argmax()))
        gaps.append(float(best[1] - best[0]))
        longer = {"query": request.query + tokens[-1:]}
        request = dataclasses.replace(request, **longer)
        if own:
            answer = case[2](model, request, ratio)
        elif answer.request:
            answer.request = dataclasses.replace(answer.request, **longer)
    return tokens, min(gaps), None


def decoded(model, request, case, ratio, steps):
    tokens, gap, repaired = greedy(model, request, case, ratio, steps)
    out = {"strategy": case[0], "params": case[1], "ratio": ratio, "prediction": tokens, "gap": round(gap, 6)}
    return out | ({} if repaired is None else {"repaired": repaired})


def write(model, model_name, prompt: pathlib.Path, cases, decoding, ratios, path: pathlib.Path) -> None:
    text = json.loads(prompt.read_text())
    request = from_text(model.path, text)
    golden = {"model": model_name, "prompt": prompt.stem, "units": [list(span) for span in request.spans],
              "has_prefix": request.has_prefix, "query_ids": request.query, "question": list(request.question), "cases": []}
    for case in cases:
        for ratio in ratios:
            found = entry(model, request, case, ratio)
            if ratio != ratios[0]:
                for same in ("scale", "scores", "slack"):  # they don't depend on the ratio
                    if case[0] != "infoflow_reorder":
                        found.pop(same, None)
            golden["cases"].append(found)
        print(f"{model_name} {prompt.stem}: {case[0]} {case[1]}", flush=True)
    golden["decoding"] = [decoded(model, request, case, ratios[0], DECODED) for case in decoding]
    packed = json.dumps(golden, separators=(",", ":")).replace('{"strategy"', '\n{"strategy"')
    with open(path, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as gz:
        gz.write(packed.encode())
