"""CacheClip (STRATEGIES.md §3, arXiv 2510.10129 v2): an auxiliary model's last-layer attention, taken in groups of tokens."""
import math

import numpy as np

from .. import budget, caches, passes
from ..answer import Answer
from ..tokens import tokenize
from . import auxiliary


def cacheclip(model, request, ratio, aux, softmax="per_chunk", window=8, density=5, refill=True, query="all"):
    units = auxiliary.units(aux, request)
    head = 1 if request.has_prefix else 0
    prefix, chunks = (units[0][0] if head else []), units[head:]
    spans = [(head + c, b, e) for c, (_, of_chunk) in enumerate(chunks) for b, e in of_chunk]
    ends = np.cumsum([len(ids) for ids, _ in chunks])
    question = tokenize(aux.path, request.text["query"])[0]
    score = attention(aux, prefix, [ids for ids, _ in chunks], question, softmax, query)  # [auxiliary tokens of all chunks]
    exact_units = {0, head} if head else {0}  # the shared prefix is in front of the first chunk in any case (§0)
    exact = np.array([unit in exact_units for unit, _, _ in spans])
    candidates = set(budget.top(score, budget.size(ratio, len(score)), exact))

    def group(start):
        """[s, s + window), ended by the chunk's end."""
        return range(start, min(start + window, int(ends[np.searchsorted(ends, start, side="right")])))

    taken = {i for s in candidates if len(candidates & set(group(s))) >= density for i in group(s)}
    overlap = auxiliary.overlapping(model, request, spans)
    of_aux = [[] for _ in spans]
    for primary, over in enumerate(overlap):
        for i in over:
            of_aux[i].append(primary)
    selected = {p for i in taken for p in of_aux[i]}
    if refill:
        target = math.floor(ratio * (request.n - len(request.prefix)))
        for start in sorted(range(len(spans)), key=lambda s: (exact[s], -score[list(group(s))].sum(), s)):
            for i in group(start):
                for p in of_aux[i]:
                    if len(selected) < target:
                        selected.add(p)
    # Reported by token, as everywhere: the largest of those that overlap it.
    of_primary = np.array([score[over].max() if len(over) else 0.0 for over in overlap])
    return Answer(sorted(selected), of_primary, sink="shared_prefix")


def attention(aux, prefix, chunks, question, softmax, query):
    """Mean over heads and query tokens of the last layer's attention to the chunks' tokens."""
    rows = np.arange(len(question)) if query == "all" else np.array([len(question) - 1])
    sink, lead = tuple(prefix), caches.alone(aux, tuple(prefix)) if prefix else None
    own = [caches.alone(aux, tuple(ids), sink) for ids in chunks]
    found = []

    def last_layer(parts):
        context = caches.joined(([lead] if lead else []) + parts)
        n = len(context.positions)
        context = context.at(np.arange(n))  # one chunk: its own positions; all of them: global ones

        def watch(layer, s, reach, values):
            if layer == aux.layers - 1:
                found.append(passes.attention_to_all(s, reach, n)[:, rows, len(prefix) :].mean(axis=(0, 1)))

        passes.over(aux, context, question, n + np.arange(len(question)), watch)

    if softmax == "per_chunk":
        for cache in own:
            last_layer([cache])
    else:
        last_layer(own)
    return np.concatenate(found)
