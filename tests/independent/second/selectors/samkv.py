"""SamKV-style (STRATEGIES.md §7, arXiv 2508.11661): which blocks of each chunk are kept; the rest is dropped.

Means are of states before RoPE, [layers, heads, d]. The initial and local (last) blocks of a chunk are always kept; the
middle blocks compete, each by the mean over heads and layers of q̂_i · k̄ / √d.
"""
import numpy as np

from .. import budget, caches, passes
from ..answer import Answer


def samkv(model, request, ratio, block=16, initial=1, local=1, write_back="overwrite", sink="none"):
    context = caches.assembled(model, request, sink)
    blocks = [[(b, min(b + block, end)) for b in range(begin, end, block)] for begin, end in request.chunks]
    middle = [(c, b) for c, all_of in enumerate(blocks) for b in all_of[initial : max(initial, len(all_of) - local)]]
    dropped = {i for _, b in middle for i in range(*b)}
    kept = [i for i in range(request.n) if i not in dropped]

    q_que = pooled_query(model, request, context.rows(kept))
    q_loc = [pooled_local(model, request, c, end - all_of[-local:][0][0], sink)
             for c, ((_, end), all_of) in enumerate(zip(request.chunks, blocks))]
    likeness = [cosine(q_que, q) for q in q_loc]
    score = np.zeros(request.n)
    value = {}
    for c, (begin, end) in middle:
        others = [j for j in range(len(blocks)) if j != c]
        personal = q_que + sum(np.abs(likeness[j])[:, None, None] * q_loc[j] for j in others) / max(len(others), 1)
        key = np.array([k[begin:end].mean(axis=0) for k in context.k])  # [layers, kv_heads, d]
        key = np.repeat(key, personal.shape[1] // key.shape[1], axis=1)
        value[begin, end] = float((personal * key).sum(axis=-1).mean()) / np.sqrt(key.shape[-1])
        score[begin:end] = value[begin, end]
    room = budget.size(ratio, request.n)
    for begin, end in sorted(value, key=lambda b: (-value[b], b)):
        if len(kept) + end - begin > room:
            break
        kept += range(begin, end)
    kept = sorted(kept)
    prefix = len(request.prefix)  # exact already: kept, not recomputed
    return Answer([i for i in kept if i >= prefix], score, kept=kept, write_back=write_back, sink=sink)


def pooled_query(model, request, kept):
    """The query over the initial and local rows only: mean over its rows of Q before RoPE."""
    found = []
    passes.over(model, kept, request.query, request.query_positions, unrotated=lambda layer, q: found.append(q.mean(axis=0)))
    return np.array(found)


def pooled_local(model, request, chunk, rows, sink):
    """Mean Q of the chunk's last `rows` tokens in its offline prefill."""
    found = []
    unit = chunk + (1 if request.has_prefix else 0)
    behind = caches.sink_ids(model, request, sink) if unit else ()
    caches.prefill(model, [*behind, *request.units[unit]], lambda layer, x, q, k, v, a: found.append(q[-rows:].mean(axis=0)))
    return np.array(found)


def cosine(a, b):
    """Over all heads of a layer together [layers]."""
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    return (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
