"""InfoFlow's chunk reordering (STRATEGIES.md §5): score at local keys, move the richest chunk to the query, score again."""
import dataclasses

import numpy as np

from .. import budget
from ..answer import Answer
from . import infoflow


def infoflow_reorder(model, request, ratio, sink="shared_prefix", **scoring):
    first = infoflow.scored(model, request, sink, geometry="hl_tp", **scoring)
    k = infoflow.size(ratio, request.n)
    taken = set(budget.top(first, k, only_prefix(request)))
    share = [sum(i in taken for i in range(b, e)) / (e - b) for b, e in request.chunks]
    order = sorted(range(len(share)), key=lambda c: share[c])  # stable: ties keep the lower chunk first
    moved = reordered(request, order)
    again = infoflow.scored(model, moved, sink, **scoring)
    last = only_prefix(moved)
    return Answer(budget.top(again, k, last), again, last, thresholded=True, order=order, request=moved, sink=sink)


def only_prefix(request):
    last = np.zeros(request.n, bool)
    last[: len(request.prefix)] = True
    return last


def reordered(request, order):
    head = 1 if request.has_prefix else 0
    places = list(range(head)) + [head + c for c in order]
    return dataclasses.replace(request, units=[request.units[p] for p in places],
                               unit_texts=[request.unit_texts[p] for p in places])
