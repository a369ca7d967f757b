"""What a full prefill shows (STRATEGIES.md §12)."""
import numpy as np

from .. import budget, caches, passes
from ..answer import Answer
from .deviation import deviation
from .prophetkv import alpha


def full_context(model, request):
    """The context's rows of a full prefill: what comes behind them does not change them."""
    return caches.alone(model, tuple(request.ids))


def oracle_kv(model, request, ratio, sink="none"):
    """`kv` deviation from full prefill, summed over layers; layer 0's is 0 (§0, invariant 4)."""
    reused, full = caches.assembled(model, request, sink), full_context(model, request)
    exact = caches.exact_rows(request, sink)
    score = sum(deviation("kv", full.k[l], reused.k[l], full.v[l], reused.v[l], exact) for l in range(1, model.layers))
    return answer(score, request, ratio, exact)


def oracle_attention(model, request, ratio, sink="none"):
    mass = alpha(model, request, full_context(model, request), rows=np.arange(len(request.query)))
    return answer(mass.mean(axis=0), request, ratio, caches.exact_rows(request, sink))


def oracle_output(model, request, ratio, sink="none"):
    """Σ over layers, heads and query rows of ‖A_j·v_j − A′_j·v′_j‖, A the attention as it is, over context and query.

    By the triangle inequality the sum over j bounds the error of the attention's output.
    """
    def seen(context):
        found = []

        def watch(layer, q, keys, values):
            a = passes.attention_to_all(q, keys, request.n)
            found.append((a, np.repeat(values[: request.n], a.shape[0] // values.shape[1], axis=1)))

        passes.over(model, context, request.query, request.query_positions, watch)
        return found

    score = np.zeros(request.n)
    for (a, v), (a2, v2) in zip(seen(full_context(model, request)), seen(caches.assembled(model, request, sink))):
        # ‖a·v − a'·v'‖² = a²‖v‖² − 2·a·a'·(v·v') + a'²‖v'‖² for each head, row and token
        square = a * a * dot(v, v) - 2 * a * a2 * dot(v, v2) + a2 * a2 * dot(v2, v2)
        score += np.sqrt(np.maximum(square, 0)).sum(axis=(0, 1))
    return answer(score, request, ratio, caches.exact_rows(request, sink))


def dot(x, y):
    """[heads, 1, N]"""
    return np.einsum("jhd,jhd->hj", x, y)[:, None, :]


def answer(score, request, ratio, exact):
    return Answer(budget.top(score, budget.size(ratio, request.n), exact), score, exact=exact, thresholded=True)
