"""KVShare (STRATEGIES.md §6, arXiv 2503.16525; an approximation): query attention × ‖ΔV‖² at the check layer, and more
recomputation while decoding."""
import numpy as np

from .. import caches, passes
from ..model import softmax, weigh
from .deviation import squared
from .oracles import answer, full_context
from .prophetkv import alpha


def kvshare(model, request, ratio, check_layer=1, decode_interval=8, decode_k=None, sink="none"):
    reused = caches.assembled(model, request, sink)
    exact = caches.exact_rows(request, sink)
    attention = alpha(model, request, reused, rows=np.arange(len(request.query)))[check_layer]
    # Layers below the check layer run in full, exact causal: its values are those of a full prefill.
    same = exact | caches.unchanged(model, map(len, request.units), check_layer)
    moved = squared(full_context(model, request).v[check_layer], reused.v[check_layer], same)
    found = answer(attention * moved, request, ratio, exact)
    count = request.n // 100 if decode_k is None else decode_k
    found.decode = lambda steps: decode(model, request, found, steps, decode_interval, count)
    return found


def decode(model, request, answer, steps, interval, count, decay=0.9):
    """Stage 2: (greedy tokens, smallest gap of the two largest logits, context rows recomputed while decoding).

    Every `interval` steps the `count` rows that are not recomputed so far and have the most decode attention, a sum over
    heads and layers that decays by 0.9 a step, run through all layers as in prefill.
    """
    context = caches.assembled(model, request, answer.sink)
    logits, cache = passes.recompute(model, request, context, request.query_positions, answer)
    running, done, repaired = np.zeros(request.n), set(answer.selected), []
    exact = caches.exact_rows(request, answer.sink)
    tokens = [int(logits.argmax())]
    gaps = [gap(logits)]
    for step in range(1, steps):
        logits, attention = one_row(model, tokens[-1], cache)
        running = decay * running + attention[: request.n]
        tokens.append(int(logits.argmax()))
        gaps.append(gap(logits))
        if step % interval == 0 and step + 1 < steps:  # behind the last token there is nobody to see it
            rest = [i for i in range(request.n) if i not in done and not exact[i]]
            rows = sorted(sorted(rest, key=lambda i: (-running[i], i))[:count])
            done |= set(rows)
            repaired += rows
            recompute_rows(model, request, cache, rows)
    return tokens, min(gaps), sorted(repaired)


def gap(logits):
    best = np.sort(logits)[-2:]
    return float(best[1] - best[0])


def one_row(model, token, cache):
    """The next row's logits, and its attention to every key before it summed over heads and layers. Extends the cache."""
    at = len(cache.positions)
    position = cache.positions[-1] + 1
    cache.positions = np.append(cache.positions, position)
    x, total = model.embed([token]), np.zeros(at + 1)
    for layer in range(model.layers):
        q, k, v = model.project(layer, x)
        cache.k[layer], cache.v[layer] = np.concatenate([cache.k[layer], k]), np.concatenate([cache.v[layer], v])
        s = model.scores(layer, q, [position], cache.k[layer], cache.positions)
        a = softmax(s, model.reach(layer, [position], cache.positions))
        total += a.sum(axis=(0, 1))
        x = model.finish(layer, x, weigh(a, cache.v[layer]))
    return model.logits(x)[0], total


def recompute_rows(model, request, cache, rows):
    rows = np.array(rows, int)
    at = cache.positions[rows]
    x = model.embed(np.array(request.ids)[rows])
    for layer in range(model.layers):
        q, k, v = model.project(layer, x)
        cache.k[layer][rows], cache.v[layer][rows] = k, v
        s = model.scores(layer, q, at, cache.k[layer], cache.positions)
        a = softmax(s, model.reach(layer, at, cache.positions))
        x = model.finish(layer, x, weigh(a, cache.v[layer]))
