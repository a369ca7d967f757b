"""QCFuse (STRATEGIES.md §10, arXiv 2606.05875): what the question attends to in critical layers, having met only anchors."""
import numpy as np

from .. import budget, caches
from . import infoflow
from .oracles import answer
from .prophetkv import alpha


def qcfuse(model, request, ratio, anchors=16, layers=None, sink="none"):
    """The query meets the prefix and the anchors, in all layers the same; its question is asked about the whole context."""
    context = caches.assembled(model, request, sink)
    layers = list(infoflow.band(model.layers)) if layers is None else layers
    mass = alpha(model, request, context, met=met(request, context, anchors, layers))
    return answer(mass[layers].mean(axis=0), request, ratio, caches.exact_rows(request, sink))


def met(request, context, count, layers):
    """[N]. [O] Anchors of a chunk: the largest cosines to its mean key, of keys before RoPE over all heads of a layer
    together, mean over the critical layers. The prefix is no chunk: all of it is met."""
    seen = np.zeros(request.n, bool)
    seen[: len(request.prefix)] = True
    for begin, end in request.chunks:
        likeness = np.mean([cosine(context.k[layer][begin:end]) for layer in layers], axis=0)
        seen[[begin + i for i in budget.top(likeness, count)]] = True
    return seen


def cosine(keys):
    """Of each row to the mean [rows]."""
    keys = keys.reshape(len(keys), -1)
    mean = keys.mean(axis=0)
    return keys @ mean / np.linalg.norm(keys, axis=1) / np.linalg.norm(mean)
