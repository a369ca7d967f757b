"""SpecCache (STRATEGIES.md §10): the norm of a small model's deep hidden states; it prefills the whole context."""
import numpy as np

from .. import caches
from . import auxiliary
from .oracles import answer


def speccache(model, request, ratio, aux, layer=None, sink="none"):
    """A token's score is the largest of the auxiliary tokens that overlap it."""
    units = auxiliary.units(aux, request)
    hidden = hidden_states(aux, [i for ids, _ in units for i in ids], aux.layers if layer is None else layer)
    norm = np.linalg.norm(hidden, axis=1)
    spans = [(number, b, e) for number, (_, of_unit) in enumerate(units) for b, e in of_unit]
    score = np.array([norm[over].max() for over in auxiliary.overlapping(model, request, spans)])
    return answer(score, request, ratio, caches.exact_rows(request, sink))


def hidden_states(model, ids, layer):
    """What enters the layer; at the model's depth, what the last layer gives."""
    seen = []
    caches.prefill(model, ids, lambda l, x, q, k, v, a: seen.append((x, a, v)))
    if layer < model.layers:
        return seen[layer][0]
    x, a, v = seen[-1]
    return model.finish(model.layers - 1, x, caches.weigh(a, v))
