"""Composition (STRATEGIES.md §11): scores of several selectors as one, a pinned base, budgets by context or chunk."""
import numpy as np

from .. import budget, caches
from ..answer import Answer
from .prophetkv import falling_rank


def combine(model, request, ratio, parts, weights=None, by="sum", normalise="sum", pinned=None, per="context", sink="none"):
    """`parts` and `pinned` are selectors; each part's scores are divided by their sum, or largest, over the context.

    [O] Weighted rank fusion is the mean of weight times rank; by chunk, unit 0 has a share only once all else
    is taken (§0 calls it exact).
    """
    weights = [1.0] * len(parts) if weights is None else weights
    found = [part(model, request, ratio).scores for part in parts]
    slack = 0.0
    if by == "rank":
        score = -sum(w * falling_rank(s) for w, s in zip(weights, found)) / len(parts)
        slack = 2 * max(weights) / len(parts)
    else:
        whole = {"sum": np.sum, "max": np.max, "none": lambda s: 1.0}[normalise]
        scaled = [w * s / whole(s) for w, s in zip(weights, found)]
        score = sum(scaled) if by == "sum" else np.max(scaled, axis=0)
    pins = pinned(model, request, ratio).selected if pinned else []
    exact = caches.exact_rows(request, sink)
    if per == "context":
        return Answer(budget.top(score, budget.size(ratio, request.n), exact, pins), score, exact, slack=slack)
    taken = []
    for begin, end in request.spans[1:] if ratio < 1 else request.spans:
        own = [i - begin for i in pins if begin <= i < end]
        taken += [begin + i for i in budget.top(score[begin:end], budget.size(ratio, end - begin), exact[begin:end], own)]
    return Answer(sorted(taken), score, exact, slack=slack)
