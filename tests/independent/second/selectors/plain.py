"""The baselines (STRATEGIES.md §0)."""
import dataclasses

from .. import caches, passes
from ..answer import Answer


def full(model, request, ratio):
    return Answer(list(range(request.n)))


def reuse(model, request, ratio):
    return Answer([])


def reuse_local(model, request, ratio):
    """Chunks stay at local positions, the query at N …"""
    local = caches.joined(caches.units(model, request, "none"))
    return Answer([], logits=passes.recompute(model, request, local, request.query_positions, Answer([]))[0])


def no_context(model, request, ratio):
    """Prefix and query alone, contiguous; no row of the prefix needs recomputing."""
    bare = dataclasses.replace(request, units=request.units[:1] if request.has_prefix else [])
    if not bare.units:
        return Answer([], kept=[], logits=passes.alone_logits(model, request.query))
    return Answer([], kept=list(range(bare.n)), logits=passes.first_token(model, bare, Answer([])))


def prefix(model, request, ratio):
    """Prefix caching: everything but the leading unit is recomputed."""
    return Answer(list(range(len(request.units[0]), request.n)))
