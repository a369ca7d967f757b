"""ProphetKV (STRATEGIES.md §4, arXiv 2602.02579, Algorithm 1): what the query attends to over the reused cache."""
import numpy as np

from .. import budget, caches, passes
from ..answer import Answer


def alpha(model, request, context, met=True, softmax="context", rows=None):
    """α_l(t) = Σ over heads and query rows of the softmax over the context [layers, N], where the query met some of it."""
    rows = request.question_rows if rows is None else rows
    mass = []

    def watch(layer, s, reach, values):
        attention = passes.attention_to_context if softmax == "context" else passes.attention_to_all
        mass.append(attention(s, reach, request.n)[:, rows].sum(axis=(0, 1)))

    passes.over(model, context, request.query, request.query_positions, watch, see_context=met)
    return np.array(mass)


def fused(mass, fusion):
    """mean, max, or minus the mean over the layers of the falling rank (0 the best, ties by lower index)."""
    if fusion == "mean":
        return mass.mean(axis=0)
    if fusion == "max":
        return mass.max(axis=0)
    return -np.mean([falling_rank(m) for m in mass], axis=0)


def falling_rank(scores):
    rank = np.empty(len(scores))
    rank[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return rank


def prophetkv(model, request, ratio, query_states="suffix", softmax="context", query_span="question", fusion="mean",
              pin_first_chunk=False, layers=None, exact_rows="last", sink="none", neighbours=0):
    context = caches.assembled(model, request, sink, neighbours)
    rows = request.question_rows if query_span == "question" else np.arange(len(request.query))
    mass = alpha(model, request, context, query_states == "suffix", softmax, rows)
    mass = mass[layers or slice(None)]
    score = fused(mass, fusion)
    slack = 2 / len(mass) if fusion == "rank" else 0.0
    pinned = range(*request.chunks[0]) if pin_first_chunk else ()
    exact = caches.exact_rows(request, sink, neighbours) & (exact_rows == "last")
    return Answer(budget.top(score, budget.size(ratio, request.n), exact, pinned), score, exact, thresholded=True, sink=sink,
                  neighbours=neighbours, slack=slack)


def fusionrag(model, request, ratio):
    """FusionRAG (STRATEGIES.md §10, arXiv 2601.12904): the same choice, of chunks encoded behind their two nearest."""
    return prophetkv(model, request, ratio, neighbours=2)
