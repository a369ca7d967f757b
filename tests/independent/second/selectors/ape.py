"""APE (STRATEGIES.md §9, arXiv 2502.05431): chunks share their positions; the query's attention to them is tempered."""
import numpy as np

from .. import caches
from ..answer import Answer
from ..model import softmax, weigh


def log_sum_exp(s, visible):
    s = np.where(visible, s, -np.inf)
    top = s.max(axis=-1)
    return top + np.log(np.exp(s - top[..., None]).sum(axis=-1))


def ape(model, request, ratio, temperature=0.9, scale=0.9, lse_scale="code", sink="shared_prefix"):
    """o = w_c·o_c + w_o·o_o, w = softmax([S·T·lse_c, lse_o]); lse_c is of scores already divided by √d·T."""
    context = caches.joined(caches.units(model, request, sink))  # local positions: chunks behind the prefix, all at |P|
    n, rows, p = request.n, len(request.query), len(request.prefix)
    positions = int(context.positions.max()) + 1 + np.arange(rows)
    everywhere = np.concatenate([context.positions, positions])
    assert not any(model.config.windows)
    of_chunk = np.arange(n + rows) < n
    of_chunk[:p] = False
    causal = np.concatenate([np.ones((rows, n), bool), np.tri(rows, dtype=bool)], axis=1)
    factor = scale * temperature if lse_scale == "code" else scale
    x = model.embed(request.query)
    for layer in range(model.layers):
        q, k, v = model.project(layer, x)
        values = np.concatenate([context.v[layer], v])
        s = model.scores(layer, q, positions, np.concatenate([context.k[layer], k]), everywhere)
        side = causal & of_chunk, causal & ~of_chunk
        lse_c, lse_o = log_sum_exp(s / temperature, side[0]), log_sum_exp(s, side[1])
        w_c = 1 / (1 + np.exp(lse_o - factor * lse_c))[..., None]  # [heads, rows, 1]
        a = w_c * softmax(s / temperature, side[0]) + (1 - w_c) * softmax(s, side[1])
        x = model.finish(layer, x, weigh(a, values))
    return Answer([], logits=model.logits(x[-1:])[0])
