"""Cache-Craft (STRATEGIES.md §10, arXiv 2502.15734): chunks that attend to other chunks are recomputed more."""
import math

import numpy as np

from .. import budget, caches
from ..answer import Answer


def cachecraft(model, request, ratio, alpha=None, layer=1):
    """Of each chunk the ⌈CFO·|C|⌉ tokens that attend most to earlier chunks; CFO = clamp(α·CCI), CCI = σ(ā/b̄), β = 0.

    [O] Attention is that of exact rows at one layer, summed over heads; the prefix counts on neither side; nothing of the
    first chunk, which has no earlier one. Without an α it is the largest whose tokens are at most ⌊r·N⌋, and what then is
    left of them goes by attention alone.
    """
    found = []

    def watch(at, x, q, k, v, attention):
        if at == layer:
            found.append(attention.sum(axis=0))  # [N, N]

    caches.prefill(model, request.ids, watch)
    mass, inter, cci = found[0], np.zeros(request.n), []
    first, *others = request.chunks
    for begin, end in others:
        inter[begin:end] = mass[begin:end, first[0] : begin].sum(axis=1)
        intra = mass[begin:end, begin:end].sum(axis=1)
        cci.append(1 / (1 + math.exp(-inter[begin:end].mean() / intra.mean())))
    lengths = [end - begin for begin, end in others]
    if alpha is None:
        shares = within(cci, lengths, budget.size(ratio, request.n))
    else:
        shares = [math.ceil(min(1.0, alpha * c) * n) for c, n in zip(cci, lengths)]
    taken, cuts = [], []
    for (begin, end), share in zip(others, shares):
        of_chunk = [begin + i for i in budget.top(inter[begin:end], share)]
        cuts.append((np.arange(begin, end), inter[begin:end], None, of_chunk))
        taken += of_chunk
    exact = caches.exact_rows(request, "none")
    if alpha is None and len(taken) < budget.size(ratio, request.n):
        taken = budget.top(inter, budget.size(ratio, request.n), exact, taken)
    return Answer(sorted(taken), inter, exact, cuts=cuts)


def within(cci, lengths, k):
    """Tokens of each chunk at the largest α whose ⌈min(1, α·CCI)·len⌉ add up to k at most."""
    # A chunk's share rises above c tokens as soon as α exceeds c / (CCI·len).
    steps = sorted((c / (of * n), chunk) for chunk, (of, n) in enumerate(zip(cci, lengths)) for c in range(n))
    k = min(k, len(steps))
    while 0 < k < len(steps) and steps[k][0] == steps[k - 1][0]:  # chunks that rise together
        k -= 1
    return [sum(chunk == of for _, of in steps[:k]) for chunk in range(len(lengths))]
