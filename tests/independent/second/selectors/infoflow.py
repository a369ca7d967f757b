"""InfoFlow KV (STRATEGIES.md §5, arXiv 2603.05353 and its released code): the question's attention norm in upper layers."""
import math

import numpy as np

from .. import budget, caches, passes
from ..answer import Answer
from ..tokens import tokenize


def band(layers: int) -> range:
    """The 22nd to 25th of 36 layers, scaled to another depth."""
    return range(math.floor(22 * layers / 36), math.floor(25 * layers / 36) + 1)


def placement(request, units, geometry):
    """(positions of the context rows [N], position of the first scoring row)."""
    n = request.n
    if geometry == "global":
        return np.arange(n), n
    local = np.concatenate([u.positions for u in units])
    if geometry == "hl_hp":  # behind the longest chunk
        return local, int(local.max()) + 1
    if geometry == "hl_tp":
        return local, n
    assert geometry == "tl_tp"  # every chunk ends at T - 1; the prefix stays
    moved = [np.arange(len(u.positions)) if request.has_prefix and i == 0 else np.arange(n - len(u.positions), n)
             for i, u in enumerate(units)]
    return np.concatenate(moved), n


def scored(model, request, sink, norm="l2", layers=None, query="question_alone", score="attention_norm", geometry="global"):
    units = caches.units(model, request, sink)
    positions, at = placement(request, units, geometry)
    context = caches.joined(units).at(positions)
    layers = band(model.layers) if layers is None else layers
    if query == "question_alone":
        ids = tokenize(model.path, request.question_text)[0]
        rows = np.arange(len(ids))
    else:
        ids, rows = request.query, request.question_rows
    found = []

    def watch(layer, s, reach, values):
        if layer not in layers:
            return
        a = passes.attention_to_all(s, reach, request.n)[:, rows]
        mean = a.mean(axis=0)  # M [question, N]
        if score == "vatp":
            size = np.linalg.norm(values[: request.n], axis=-1)  # [N, kv_heads]
            group = a.shape[0] // size.shape[1]
            found.append((a.sum(axis=1) * np.repeat(size, group, axis=1).T).sum(axis=0))
        elif score == "entropy":
            found.append(-((mean + 1e-10) * np.log(mean + 1e-10)).sum(axis=0))
        else:
            found.append(np.linalg.norm(mean, axis=0) if norm == "l2" else mean.sum(axis=0))

    passes.over(model, context, ids, at + np.arange(len(ids)), watch, until=max(layers) + 1)
    return np.mean(found, axis=0)


def size(ratio, n):
    return 0 if ratio == 0 else max(1, budget.size(ratio, n))


def infoflow(model, request, ratio, exclude_first_chunk=True, sink="shared_prefix", **scoring):
    score = scored(model, request, sink, **scoring)
    last = caches.exact_rows(request, sink)
    if exclude_first_chunk:
        last[slice(*request.chunks[0])] = True
    return Answer(budget.top(score, size(ratio, request.n), last), score, last, thresholded=True, sink=sink)
