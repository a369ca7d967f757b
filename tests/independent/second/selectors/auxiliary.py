"""An auxiliary model with its own tokenizer, aligned with the primary by byte spans (STRATEGIES.md §3)."""
import numpy as np

from ..tokens import tokenize


def units(aux, request):
    """Each unit tokenised for the auxiliary alone: [(ids, spans in the unit's text)]."""
    return [tokenize(aux.path, text) for text in request.unit_texts]


def primary_spans(model, request):
    """Each context token's (unit, begin, end) in its unit's text [N]."""
    spans = []
    for number, (ids, text) in enumerate(zip(request.units, request.unit_texts)):
        own = tokenize(model.path, text)
        assert own[0] == ids, "a unit's text gives other tokens alone than in the prompt: its spans need another way"
        spans += [(number, begin, end) for begin, end in own[1]]
    return spans


def overlapping(model, request, aux_spans):
    """For each context token the indices of the auxiliary tokens [(unit, begin, end)] that share a byte with it."""
    spans = np.array(aux_spans)
    return [np.flatnonzero((spans[:, 0] == u) & (spans[:, 1] < end) & (spans[:, 2] > begin))
            for u, begin, end in primary_spans(model, request)]
