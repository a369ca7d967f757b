"""What a full prefill shows (STRATEGIES.md §12)."""
import dataclasses

import numpy as np

from .. import budget, caches, passes
from ..answer import Answer
from .deviation import deviation
from .prophetkv import alpha


def full_context(model, request):
    """The context's rows of a full prefill: what comes behind them does not change them."""
    return caches.alone(model, tuple(request.ids))


def oracle_kv(model, request, ratio, sink="none"):
    """`kv` deviation from full prefill, summed over layers."""
    reused, full = caches.assembled(model, request, sink), full_context(model, request)
    exact = caches.exact_rows(request, sink)
    score = np.zeros(request.n)
    for l in range(model.layers):
        same = exact | caches.unchanged(model, map(len, request.units), l)
        score += deviation("kv", full.k[l], reused.k[l], full.v[l], reused.v[l], same)
    return answer(score, request, ratio, exact)


def oracle_attention(model, request, ratio, sink="none"):
    mass = alpha(model, request, full_context(model, request), rows=np.arange(len(request.query)))
    return answer(mass.mean(axis=0), request, ratio, caches.exact_rows(request, sink))


def oracle_output(model, request, ratio, sink="none"):
    """Σ over layers, heads and query rows of ‖A_j·v_j − A′_j·v′_j‖, A the attention as it is, over context and query.

    By the triangle inequality the sum over j bounds the error of the attention's output. Where windows leave little of a
    difference, a few float32 roundings of what is subtracted show in it: the slack.
    """
    def seen(context):
        found = []

        def watch(layer, s, reach, values):
            a = passes.attention_to_all(s, reach, request.n)
            found.append((a, np.repeat(values[: request.n], a.shape[0] // values.shape[1], axis=1)))

        passes.over(model, context, request.query, request.query_positions, watch)
        return found

    score, weight = np.zeros(request.n), np.zeros(request.n)
    for (a, v), (a2, v2) in zip(seen(full_context(model, request)), seen(caches.assembled(model, request, sink))):
        # ‖a·v − a'·v'‖² = a²‖v‖² − 2·a·a'·(v·v') + a'²‖v'‖² for each head, row and token
        square = a * a * dot(v, v) - 2 * a * a2 * dot(v, v2) + a2 * a2 * dot(v2, v2)
        score += np.sqrt(np.maximum(square, 0)).sum(axis=(0, 1))
        weight += (a * np.sqrt(dot(v, v))).sum(axis=(0, 1))
    found = answer(score, request, ratio, caches.exact_rows(request, sink))
    return dataclasses.replace(found, slack=2e-6 * weight.max())


def dot(x, y):
    """[heads, 1, N]"""
    return np.einsum("jhd,jhd->hj", x, y)[:, None, :]


def answer(score, request, ratio, exact):
    return Answer(budget.top(score, budget.size(ratio, request.n), exact), score, exact=exact, thresholded=True)
