"""Forward passes over an assembled context: the query's probe, and the selective recomputation (STRATEGIES.md §0)."""
import numpy as np

from . import caches
from .answer import Answer
from .caches import Cache, joined
from .model import Model, softmax, weigh
from .request import Request


def over(model: Model, context: Cache, ids, positions, watch=None, until=None, see_context=True, unrotated=None) -> None:
    """Rows `ids` run from their embeddings; each sees the context and the rows up to itself, as far as the layer reaches.

    `see_context`: whether they do, or which of its rows [n].
    watch(layer, s, reach, values): scores s [heads, rows, n + rows] of the keys of context and rows, what the layer reaches
    [rows, n + rows] whatever `see_context` says, and values [n + rows, kv_heads, d].
    unrotated(layer, q): q before RoPE. Layers from `until` on do not run.
    """
    n, rows = len(context.positions), len(ids)
    everywhere = np.concatenate([context.positions, positions])
    met = np.concatenate([np.broadcast_to(see_context, n), np.ones(rows, bool)])
    x = model.embed(ids)
    for layer in range(model.layers if until is None else until):
        q, k, v = model.project(layer, x)
        if unrotated:
            unrotated(layer, q)
        values = np.concatenate([context.v[layer], v])
        s = model.scores(layer, q, positions, np.concatenate([context.k[layer], k]), everywhere)
        reach = model.reach(layer, positions, everywhere)
        if watch:
            watch(layer, s, reach, values)
        x = model.finish(layer, x, weigh(softmax(s, reach & met), values))


def attention_to_context(s, reach, n: int) -> np.ndarray:
    """Softmax over the context's n keys alone [heads, rows, n]."""
    return softmax(s[:, :, :n], reach[:, :n])


def attention_to_all(s, reach, n: int) -> np.ndarray:
    """Softmax over the context and the rows up to each; the context's columns are read [heads, rows, n]."""
    return softmax(s, reach)[:, :, :n]


def first_token(model: Model, request: Request, answer: Answer) -> np.ndarray:
    """Logits behind the query, by the exact pass over the answer's set."""
    if answer.logits is not None:
        return answer.logits
    request = answer.request or request
    context = caches.assembled(model, request, answer.sink, answer.neighbours)
    return recompute(model, request, context, request.query_positions, answer)[0]


def recompute(model: Model, request: Request, context: Cache, positions, answer: Answer) -> tuple[np.ndarray, Cache]:
    """Rows `answer.selected` and the query run through every layer; their keys are overwritten before attention.

    `positions` are the query's. A row sees the kept rows at positions up to its own, within the layer's window. The temper is
    §11's: one softmax, where the query's logits of chunk keys are divided by T and shifted by ln S. Returns the last query
    row's logits and the cache that decoding finds, context and query.
    """
    selected, n, rows = np.array(answer.selected, int), request.n, len(request.query)
    everywhere = np.concatenate([context.positions, positions])
    active = np.concatenate([selected, n + np.arange(rows)])
    last = everywhere[n - len(selected) :]  # `bottom_right`: up to which a row sees keys
    kept = np.ones(n + rows, bool)
    if answer.kept is not None:
        kept[:n] = np.isin(np.arange(n), answer.kept)
    tempered = np.zeros((len(active), n + rows), bool)
    tempered[len(selected) :, len(request.prefix) : n] = True
    temperature, scale = answer.temper
    # The last rows are overwritten in every layer, whatever they hold.
    cache = joined([context, caches.alone(model, tuple(request.query))])
    cache.positions = everywhere
    x = model.embed(np.concatenate([request.ids, request.query]).astype(int)[active])
    for layer in range(model.layers):
        q, k, v = model.project(layer, x)
        if answer.offsets:
            move_the_others(request, selected, cache, layer, k, v)
        if answer.write_back == "fusion":
            k[: len(selected)] = blended(k[: len(selected)], cache.k[layer][selected])
            v[: len(selected)] = blended(v[: len(selected)], cache.v[layer][selected])
        cache.k[layer][active], cache.v[layer][active] = k, v
        s = model.scores(layer, q, everywhere[active], cache.k[layer], everywhere)
        s = np.where(tempered, s / temperature + np.log(scale), s)
        reach = model.reach(layer, everywhere[active], everywhere, last if answer.mask == "bottom_right" else None)
        x = model.finish(layer, x, weigh(softmax(s, reach & kept), cache.v[layer]))
    return model.logits(x[-1:])[0], cache


def blended(new, old) -> np.ndarray:
    """§7's write-back: θ·new + (1 − θ)·old with θ = max(0, cos(new, old)) over all heads of a row."""
    dot, norms = (new * old).sum(axis=(1, 2)), np.sqrt((new**2).sum(axis=(1, 2)) * (old**2).sum(axis=(1, 2)))
    theta = np.maximum(0, dot / norms)[:, None, None]
    return theta * new + (1 - theta) * old


def move_the_others(request: Request, selected, cache: Cache, layer: int, k, v) -> None:
    """AgentKVShift (§10): a chunk's rows that are not recomputed move by the mean change of those that are."""
    for begin, end in request.chunks:
        probes = np.flatnonzero((selected >= begin) & (selected < end))
        others = np.setdiff1d(np.arange(begin, end), selected)
        if len(probes):
            for new, old in ((k, cache.k[layer]), (v, cache.v[layer])):
                old[others] += (new[probes] - old[selected[probes]]).mean(axis=0)


def alone_logits(model: Model, ids) -> np.ndarray:
    """A full prefill of nothing but these."""
    last = []

    def watch(layer, x, q, k, v, a):
        if layer == model.layers - 1:
            last.append(model.finish(layer, x[-1:], weigh(a[:, -1:], v)))

    caches.prefill(model, ids, watch)
    return model.logits(last[0])[0]
