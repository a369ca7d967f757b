"""Cache-Craft (STRATEGIES.md §10, arXiv 2502.15734): chunks that attend to other chunks are recomputed more."""
import math

import numpy as np

from .. import caches
from ..answer import Answer


def cachecraft(model, request, ratio, alpha, layer=1):
    """Of each chunk the ⌈CFO·|C|⌉ tokens that attend most to earlier chunks; CFO = clamp(α·CCI), CCI = σ(ā/b̄), β = 0.

    [O] Attention is that of exact rows at one layer, summed over heads; the prefix counts on neither side; nothing of the
    first chunk, which has no earlier one.
    """
    found = []

    def watch(at, x, q, k, v, attention):
        if at == layer:
            found.append(attention.sum(axis=0))  # [N, N]

    caches.prefill(model, request.ids, watch)
    mass, inter, taken = found[0], np.zeros(request.n), []
    first = request.chunks[0][0]
    for number, (begin, end) in enumerate(request.chunks):
        inter[begin:end] = mass[begin:end, first:begin].sum(axis=1)
        intra = mass[begin:end, begin:end].sum(axis=1)
        if number > 0:
            cci = 1 / (1 + math.exp(-inter[begin:end].mean() / intra.mean()))
            count = math.ceil(min(1.0, alpha * cci) * (end - begin))
            taken += (begin + np.argsort(-inter[begin:end], kind="stable")[:count]).tolist()
    return Answer(sorted(taken), inter)
